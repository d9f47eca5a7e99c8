"""How a dataset comes into the market: drafted with its terms, divided into subsets, published, withdrawn.

Terms are fixed with the draft, before any cloud owner can join, so whoever joins has accepted them: the referee too.
Publication needs every slot of every subset filled, and freezes the groups for the dataset's life (see `draw`).
"""

from freehold.contract.call import Call
from freehold.contract.draw import deal_groups
from freehold.contract.effects import Effects, Put, require
from freehold.contract.membership import require_admitted
from freehold.contract.view import View
from freehold.protocol import actions, packages
from freehold.protocol.assets import Budget, Dataset, DataSubset, with_changes
from freehold.protocol.identifiers import dataset_id, subset_id
from freehold.protocol.limits import (
    GROUP_MIN_SMALLEST,
    HOLD_LARGEST,
    HOLD_SMALLEST_IN_WINDOWS,
    REPLICAS,
    WINDOW_LARGEST,
    WINDOW_SMALLEST_IN_GRACES,
)


def create_dataset(call: Call[actions.CreateDS], view: View) -> Effects:
    """Drafts a dataset of `m` subsets with `n` replicas each, and its terms.

    Refuses: exists, not-admitted, limit, unknown.
    """
    asked, terms = call.arguments, call.arguments.terms
    dataset = dataset_id(call.network_id, call.member, asked.nonce)
    require(view.find(Dataset, dataset) is None, "exists")
    require_admitted(call, view)
    _require_terms(call)
    require(terms.store in call.network.stores, "unknown")
    require(terms.referee is None or terms.referee in call.network.referees, "unknown")
    # a stake that nobody may rule about could only be lost by mistake
    require(terms.stake == 0 or terms.referee is not None, "limit")

    draft = Dataset(owner=call.member, m=asked.m, n=asked.n, terms=terms, card_digest=asked.card_digest, state="draft")
    return Effects(dataset, Put(dataset, draft), Put(dataset, Budget(granted=0)))


def _require_terms(call: Call[actions.CreateDS]) -> None:
    """Refuses `limit` for numbers that lean on each other or on the network's grace; the others are bounded as read."""
    asked, terms = call.arguments, call.arguments.terms
    require(asked.n in REPLICAS, "limit")
    require(GROUP_MIN_SMALLEST <= terms.group_min <= asked.m, "limit")
    shortest = WINDOW_SMALLEST_IN_GRACES * call.network.grace
    for window in (terms.answer_window, terms.close_window, terms.commit_window, terms.idle_window):
        require(shortest <= window <= WINDOW_LARGEST, "limit")
    shortest_hold = HOLD_SMALLEST_IN_WINDOWS * (terms.commit_window + terms.close_window)
    require(shortest_hold <= terms.hold <= HOLD_LARGEST, "limit")


def create_subset(call: Call[actions.CreateDSS], view: View) -> Effects:
    """Adds a subset to a draft: the digest of its package, and the public half of its mask key.

    Refuses: unknown, not-yours, exists, state, limit.
    """
    asked = call.arguments
    dataset = view.get(Dataset, asked.dataset)
    require(dataset.owner == call.member, "not-yours")
    subset = subset_id(asked.dataset, asked.index)
    require(view.find(DataSubset, subset) is None, "exists")
    require(dataset.state == "draft", "state")
    require(asked.index < dataset.m, "limit")

    added = DataSubset(dataset=asked.dataset, index=asked.index, digest=asked.digest, mask_key=asked.mask_key, slots=())
    return Effects(subset, Put(subset, added))


def publish_dataset(call: Call[actions.PublishDS], view: View) -> Effects:
    """Opens a dataset for trainings and deals its subsets into groups, once for its life.

    Equal packages or equal mask keys would let two masks cancel; a mask key of low order would make its pairs' masks
    known to all. Refuses: unknown, not-yours, state, not-full, duplicate, bad-key. Reads 3 + m records.
    """
    asked = call.arguments
    dataset = view.get(Dataset, asked.dataset)
    require(dataset.owner == call.member, "not-yours")
    require(dataset.state == "draft", "state")
    subsets = view.find_all(DataSubset, [subset_id(asked.dataset, index) for index in range(dataset.m)])
    present = [subset for subset in subsets if subset is not None and len(subset.slots) == dataset.n]
    require(len(present) == dataset.m, "not-full")
    require(len({subset.digest for subset in present}) == dataset.m, "duplicate")
    require(len({subset.mask_key for subset in present}) == dataset.m, "duplicate")
    require(all(packages.is_good_mask_key(subset.mask_key) for subset in present), "bad-key")

    groups = deal_groups(asked.dataset, [subset.digest for subset in present], dataset.terms.group_min)
    return Effects(asked.dataset, Put(asked.dataset, with_changes(dataset, state="published", groups=groups)))


def withdraw_dataset(call: Call[actions.WithdrawDS], view: View) -> Effects:
    """Ends a dataset: no new join, request, approval or round; open rounds close, history stays.

    Refuses: unknown, not-yours, state.
    """
    asked = call.arguments
    dataset = view.get(Dataset, asked.dataset)
    require(dataset.owner == call.member, "not-yours")
    require(dataset.state in ("draft", "published"), "state")

    return Effects(asked.dataset, Put(asked.dataset, with_changes(dataset, state="withdrawn")))
