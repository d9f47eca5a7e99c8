"""How each attack is played on a market of Freehold: a function of the market that returns when it showed, or None."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from freehold.bench.facts import Detected
from freehold.bench.market import Market
from freehold.bench.plays import cloud_owners, data_owners, model_owners, outsiders

Begins: TypeAlias = Literal["settled", "published"]


@dataclass(frozen=True, slots=True)
class Play:
    """How one attack is played, and whether on a market where the dataset is published already."""

    plays: Callable[[Market], Detected]
    begins: Begins = "published"


PLAYS: Final = {
    "copies": Play(cloud_owners.copies),
    "returns-base": Play(cloud_owners.returns_base),
    "adds-noise": Play(cloud_owners.adds_noise),
    "repeats-last-answer": Play(cloud_owners.repeats_last_answer),
    "uses-wrong-subset": Play(cloud_owners.uses_wrong_subset),
    "stays-silent": Play(cloud_owners.stays_silent),
    "withholds-result": Play(cloud_owners.withholds_result),
    "truncates-object": Play(cloud_owners.truncates_object),
    "swaps-object": Play(cloud_owners.swaps_object),
    "holds-two-slots": Play(cloud_owners.holds_two_slots, "settled"),
    "flees-after-lie": Play(cloud_owners.flees_after_lie),
    "two-outvote-one": Play(cloud_owners.two_outvote_one),
    "two-outvote-one-with-referee": Play(cloud_owners.two_outvote_one_with_referee),
    "deals-unequal-packages": Play(data_owners.deals_unequal_packages, "settled"),
    "copies-mask-keys": Play(data_owners.copies_mask_keys),
    "rejects-honest-holder": Play(data_owners.rejects_honest_holder, "settled"),
    "never-verifies": Play(data_owners.never_verifies, "settled"),
    "withdraws-in-training": Play(data_owners.withdraws_in_training),
    "starves-replicas": Play(model_owners.starves_replicas),
    "sends-another-base": Play(model_owners.sends_another_base),
    "vanishes": Play(model_owners.vanishes),
    "ends-in-mid-round": Play(model_owners.ends_in_mid_round),
    "opens-another-draw": Play(model_owners.opens_another_draw),
    "sends-malformed-ciphertext": Play(model_owners.sends_malformed_ciphertext),
    "asks-for-exhausting-method": Play(model_owners.asks_for_exhausting_method),
    "replays-actions": Play(outsiders.replays_actions),
    "alters-actions": Play(outsiders.alters_actions),
    "rewrites-result": Play(outsiders.rewrites_result),
    "signs-false-balance": Play(outsiders.signs_false_balance),
    "shows-two-histories": Play(outsiders.shows_two_histories),
    "truncates-ledger": Play(outsiders.truncates_ledger),
}
