"""Questions about the state: never ordered, never recorded, and the only place where anybody scans.

Every answer is made of records as they stand on the ledger with their `id` added, lists in ascending order of ids
unless something else is said. A job under a void ballot reads `undecided` if it was committed, else `missing`.

    get {kind, id}                          the record, or none
    list {kind, where?, after?, limit?}     records of a kind whose fields have these values, at most 1000 after an id
    history {kind, id, after?, limit?}      what a record was after each block that wrote it, at most 100 after a height
    account {member}                        free micro-credits, and the payouts that are due
    inbox {member}                          what waits for this member
    trainings {member}                      its trainings as a model owner or as the data owner of a part
    training {couple}                       a training with all its ballots and jobs
    dataset {dataset}                       a dataset with its budget, subsets and instances
    replica-work {co}                       what a cloud owner holds, and its jobs in trainings that go on
    candidates {}                           cloud owners that never took an offer
    totals {}                               where all the money is
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from freehold.contract.queries import holdings, money, records, trainings
from freehold.errors import Invalid
from freehold.ports.state_view import RecordedView


class _Query(NamedTuple):
    """What answers a question, and the names of the arguments that it must and may have."""

    answer: Callable[..., Any]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


QUERIES: Final[Mapping[str, _Query]] = {
    "get": _Query(records.get, frozenset({"kind", "id"})),
    "list": _Query(records.list_records, frozenset({"kind"}), frozenset({"where", "after", "limit"})),
    "history": _Query(records.history, frozenset({"kind", "id"}), frozenset({"after", "limit"})),
    "account": _Query(money.account, frozenset({"member"})),
    "inbox": _Query(trainings.inbox, frozenset({"member"})),
    "trainings": _Query(trainings.trainings, frozenset({"member"})),
    "training": _Query(trainings.training, frozenset({"couple"})),
    "dataset": _Query(holdings.dataset, frozenset({"dataset"})),
    "replica-work": _Query(holdings.replica_work, frozenset({"co"})),
    "candidates": _Query(holdings.candidates),
    "totals": _Query(money.totals),
}


def answer(view: RecordedView, name: str, arguments: Mapping[str, object]) -> Any:
    """The answer to one question; Invalid for one that cannot be asked, Refused `unknown` if it is about nothing."""
    query = QUERIES.get(name)
    if query is None:
        raise Invalid(f"there is no query {name[:40]!r}", next=f"ask one of {', '.join(QUERIES)}")
    if not query.required <= arguments.keys() <= query.required | query.optional:
        expected = ", ".join(sorted(query.required) + [f"{name}?" for name in sorted(query.optional)])
        raise Invalid(f"the query {name} takes these arguments: {expected or 'none'}")
    return query.answer(view, **arguments)
