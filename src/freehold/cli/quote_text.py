"""A quote in words and as a document: what a training costs, takes and tells, before anything is sent."""

from typing import TYPE_CHECKING, Any

from freehold.cli.times import in_units
from freehold.terminal.money import in_credits

if TYPE_CHECKING:
    from freehold.agents.model_owner import Quote
    from freehold.agents.reading import Reader
    from freehold.node.profiles import OpenProfile


def free_credits(reader: "Reader", member: str) -> int | None:
    """What a member could lock now; None before it has joined: it may be credited when it does."""
    return None if reader.member(member) is None else reader.account(member).free


def tried(member: "OpenProfile", quote: "Quote") -> tuple[str, int | None]:
    """Has the rules judge the request on a replayed copy of the ledger: why they refuse it, if so, and what is free."""
    import os

    from freehold.agents.dry_run import DryRun
    from freehold.agents.reading import Reader
    from freehold.agents.world import Signer
    from freehold.errors import Refused
    from freehold.protocol.actions import CreateMO, CreateMod, RequestTC
    from freehold.protocol.digests import sha256
    from freehold.protocol.identifiers import Digest, ModelType, Nonce, StoreName, model_id
    from freehold.protocol.network import network_id

    network = network_id(member.network)
    keys = member.keys.ring().members[0]
    signer = Signer(network=network, member=keys.id_in("mo", network), keys=keys)
    now = member.world.ledger.info().time
    copy = DryRun.on_copy_of(member.world.ledger)
    fresh = Nonce(os.urandom(32).hex())
    try:
        if not copy.knows(f"member/{signer.member}"):
            joins = CreateMO(signing_key=keys.signing_key, sealing_key=keys.sealing_key, recovery_key=keys.recovery_key)
            copy.submit(signer, joins, now)
        copy.submit(
            signer,
            CreateMod(
                nonce=fresh,
                type=ModelType(quote.wish.method.rpartition("-")[0]),
                method=quote.wish.method,
                map=Digest(sha256(quote.map).hex()),
                material=Digest(sha256(quote.material).hex()),
                hash=Digest(fresh),
                store=StoreName(quote.store),
            ),
            now,
        )
        copy.submit(
            signer,
            RequestTC(
                nonce=fresh,
                model=model_id(network, signer.member, fresh),
                datasets=quote.wish.datasets,
                rounds=quote.wish.rounds,
                draw_commitment=Digest(fresh),
            ),
            now,
        )
    except Refused as refused:
        return refused.code, free_credits(Reader(member.world.ledger), signer.member)
    return "", free_credits(Reader(member.world.ledger), signer.member)


def quote_document(quote: "Quote", free: int | None) -> dict[str, Any]:
    """The quote with money in micro-credits and times in milliseconds."""
    return {
        "datasets": list(quote.wish.datasets), "method": quote.wish.method, "map": quote.wish.map_name,
        "rounds": quote.wish.rounds, "cost": quote.cost, "for_cloud_owners": quote.for_cloud_owners,
        "for_data_owners": quote.for_data_owners, "jobs_per_round": quote.jobs_per_round, "free": free or 0,
        "answer_window": quote.answer_window, "rows": quote.rows, "features": quote.features,
        "outputs": quote.outputs, "numbers": quote.numbers, "learned": quote.learned, "warning": quote.warning,
    }  # fmt: skip


def quote_text(quote: "Quote", free: int | None, objection: str) -> str:
    """The quote in the order in which sheet, bill and evidence show the same numbers."""
    rounds = quote.wish.rounds
    share = 100 * quote.learned // max(1, quote.numbers)
    yours = "you have not joined yet" if free is None else f"you have {in_credits(free)}"
    lines = [
        (
            f" cost       at most {in_credits(quote.cost)} = {in_credits(quote.for_cloud_owners)} for {rounds} × "
            f"{quote.jobs_per_round} jobs + {in_credits(quote.for_data_owners)} for the data owner, "
            f"locked at the request, unused returns; {yours}"
        ),
        f" time       the owner answers within {in_units(quote.answer_window)}; then about a second a round",
        (
            f" you learn  the model, and of all subsets together at most {quote.learned:,} of {quote.numbers:,} "
            f"numbers of XᵀX ({share} %) and Xᵀy ({quote.features * quote.outputs}); of one subset or one row nothing"
        ),
        (
            " seen       owner: your handle, map, rounds, earlier requests, never the model · cloud owners: "
            "ciphertexts · everybody: sizes and times"
        ),
        f" rows       {quote.rows / quote.features:.1f} per feature (refused below 5, warned below 20)",
    ]
    if quote.warning:
        lines.append(f" warning    {quote.warning}")
    if objection:
        first = ", until you have joined and are credited" if free is None and objection == "no-funds" else ""
        lines.append(f" refused    the ledger would refuse it now: {objection}{first}")
    return "\n".join(lines)
