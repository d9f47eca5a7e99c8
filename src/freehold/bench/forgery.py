"""What attackers make by hand: a dataset with somebody else's mask keys, altered actions, altered ledger files."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from freehold.agents.auditor.evidence import read_ledger_file
from freehold.agents.auditor.verify import check
from freehold.agents.model_owner import Wish
from freehold.bench import facts
from freehold.bench.cheats.cloud_owners import package_of
from freehold.bench.cheats.model_owners import Exhausting
from freehold.bench.cheats.outsiders import Idle
from freehold.bench.market import ROUNDS, Market
from freehold.bench.people import WELCOME, Chance, Person, model_owner
from freehold.errors import Invalid
from freehold.ledger.blocks import Contents, decode_body, first_tip, next_block, parse_header, sign_header
from freehold.ledger.embedded.file import BlockFile
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.ledger.proofs.state_tree import StateTree
from freehold.protocol import canonical, commitments
from freehold.protocol.actions import (
    CreateCI,
    CreateCO,
    CreateDO,
    CreateDS,
    CreateDSS,
    Deposit,
    JoinCI,
    PublishDS,
    VerifyCI,
)
from freehold.protocol.assets import with_changes
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import (
    CoupleId,
    DatasetId,
    Digest,
    InstanceId,
    Nonce,
    StoreName,
    SubsetId,
    Verdict,
    dataset_id,
    instance_id,
    subset_id,
)
from freehold.protocol.limits import RECORD_LARGEST
from freehold.protocol.network import network_id
from freehold.protocol.sealing import seal_locator, seal_package
from freehold.terminal.money import MICRO


def second_slot(market: Market) -> int | None:
    """A second place for whoever has the first of a subset: when its verification was refused, or None."""
    subset = next(seen for seen in market.dataset.subsets if seen.subset.record.slots)
    name = facts.holder_of(market, subset.subset.record.slots[0].instance)
    friend, hospital = market.people[name], market.people["hospital"]
    market.cheats(name)
    instance = _joins(hospital, friend, SubsetId(subset.subset.id), package_of(friend))
    verified = VerifyCI(instance=instance, verdict=Verdict("verified"))
    seen = facts.refused(market, lambda: hospital.sends(verified), "duplicate")
    hospital.sends(VerifyCI(instance=instance, verdict=Verdict("rejected")))
    return seen


def dataset_with_copied_keys(market: Market) -> DatasetId:
    """Somebody publishes a dataset with the mask keys of the hospital's, held by workers of their own."""
    original = market.dataset
    stranger = market.comes("other hospital", "do", None, lambda _: Idle())
    nonce, chance = Nonce(market.chance(32).hex()), market.chance
    copy = dataset_id(network_id(market.network), stranger.member, nonce)
    market.cheats(stranger.name)
    market.acts()
    _joined(stranger, CreateDO)
    terms = with_changes(original.dataset.record.terms, stake=0)
    record = original.dataset.record
    stranger.sends(CreateDS(nonce=nonce, m=record.m, n=record.n, terms=terms, card_digest=record.card_digest))
    for seen in original.subsets:
        index = seen.subset.record.index
        package = chance(256)
        digest = Digest(sha256(package).hex())
        stranger.sends(CreateDSS(dataset=copy, index=index, digest=digest, mask_key=seen.subset.record.mask_key))
        for place in range(record.n):
            worker = market.comes(f"worker {index}{place}", "co", None, lambda _: Idle())
            market.cheats(worker.name)
            _joined(worker, CreateCO)
            instance = _joins(stranger, worker, subset_id(copy, index), package)
            stranger.sends(VerifyCI(instance=instance, verdict=Verdict("verified")))
    stranger.sends(PublishDS(dataset=copy))
    return copy


def asks_for_too_much(market: Market) -> CoupleId:
    """A second model owner asks for a training that is too large for anybody."""
    stranger = market.comes("other buyer", "mo", None, lambda person: model_owner(person, Exhausting))
    market.cheats(stranger.name)
    agent = stranger.agent
    if not isinstance(agent, Exhausting):
        raise TypeError(stranger.name)
    wish = Wish(datasets=(DatasetId(market.dataset.dataset.id),), rounds=ROUNDS, map_name="identity")
    couple = agent.train("huge", wish, max_cost=WELCOME).couple
    market.acts()
    market.lives(lambda: market.state("couple", couple) == "requested")
    return couple


def one_bit_turned(action: bytes, chance: Chance) -> bytes:
    """The action with one bit changed that chance draws."""
    altered, place = bytearray(action), chance.below(8 * len(action))
    altered[place // 8] ^= 1 << place % 8
    return bytes(altered)


def copied_file(market: Market) -> tuple[Path, str]:
    """The ledger's file as its operator has it, and the checkpoint that it signed last."""
    copy = market.folder / "altered.sqlite"
    with closing(sqlite3.connect(market.file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    return copy, market.ledger.info().checkpoint


def rewrite(file: Path) -> None:
    """Changes one digit of one recorded result, in the middle of the history."""
    with closing(sqlite3.connect(file)) as connection:
        ((middle,),) = connection.execute("SELECT max(height) / 2 FROM blocks").fetchall()
        ((results,),) = connection.execute("SELECT results FROM blocks WHERE height = ?", (middle,)).fetchall()
        digit = results[-3:-2]
        altered = results[:-3] + (b"0" if digit != b"0" else b"1") + results[-2:]
        connection.execute("UPDATE blocks SET results = ? WHERE height = ?", (altered, middle))
        connection.commit()


def truncate(file: Path, *, blocks: int) -> None:
    """Removes the last blocks."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM blocks WHERE height > (SELECT max(height) FROM blocks) - ?", (blocks,))
        connection.commit()


def sign_false_balance(market: Market, file: Path) -> None:
    """Adds a credit to the account that was written last, and makes and signs every block anew."""
    with closing(BlockFile.read(file)) as opened:
        rows = [(row, decode_body(row.body)) for row in opened.rows(0, sys.maxsize)]
    forged = max(row.height for row, contents in rows if _accounts(contents))
    tip, tree = first_tip(network_id(market.network)), StateTree(market.contract.genesis())
    with closing(sqlite3.connect(file)) as connection:
        for row, honest in rows:
            contents = honest if row.height != forged else replace(honest, writes=_richer(honest))
            body = contents.encode()
            change = tree.changed(contents.writes)
            header, tip = next_block(tip, parse_header(row.header).time, contents, body, state=change.root)
            tree.apply(change)
            signed = (header, sign_header(header, market.operator_seed), body.writes, row.height)
            connection.execute("UPDATE blocks SET header = ?, signature = ?, writes = ? WHERE height = ?", signed)
        connection.commit()


def go_on_otherwise(market: Market, file: Path, *, actions: int) -> None:
    """Records so many deposits behind what the file holds, as the operator's own ledger would."""
    treasury = market.people["treasury"]
    ledger = EmbeddedLedger.open(file, market.contract, market.operator_seed, market.clock)
    try:
        for _ in range(actions):
            deposit = Deposit(nonce=Nonce(market.chance(32).hex()), payee=market.people["buyer"].member, amount=1)
            treasury.signer.send(replace(treasury.world, ledger=ledger), deposit)
    finally:
        ledger.close()


def _accounts(contents: Contents) -> list[str]:
    return [key for key in contents.writes if key.startswith("account/")]


def _richer(contents: Contents) -> dict[str, bytes]:
    """What a block wrote, with a credit more on an account."""
    key = _accounts(contents)[0]
    free = canonical.decode(contents.writes[key], largest=RECORD_LARGEST)["free"]
    return {**contents.writes, key: canonical.encode({"free": free + MICRO})}


def audit_fails(market: Market, file: Path, checkpoint: str | None) -> bool:
    """Whether an audit of the file finds it wrong; the file of the honest market must pass."""
    identity = network_id(market.network)
    check(read_ledger_file(market.file), network=identity, checkpoint=checkpoint)
    try:
        check(read_ledger_file(file), network=identity, checkpoint=checkpoint)
    except Invalid:
        return True
    return False


def _joins(owner: Person, worker: Person, subset: SubsetId, package: bytes) -> InstanceId:
    """An offer of a subset by hand, and a right receipt for it."""
    nonce = Nonce(owner.chance(32).hex())
    instance = instance_id(subset, worker.member, nonce)
    sealed = seal_package(worker.keys.sealing_key, instance, package)
    name = Digest(sha256(sealed).hex())
    owner.world.store("main").put(name, sealed)
    locator = seal_locator(worker.keys.sealing_key, instance, StoreName("main"), name)
    owner.sends(CreateCI(subset=subset, co=worker.member, nonce=nonce, object=name, locator=locator))
    answer = Nonce(worker.chance(32).hex())
    worker.sends(
        JoinCI(instance=instance, receipt=commitments.receipt(instance, worker.member, answer, package), nonce=answer)
    )
    return instance


def _joined(person: Person, role: type[CreateDO] | type[CreateCO]) -> None:
    keys = person.keys
    person.sends(role(signing_key=keys.signing_key, sealing_key=keys.sealing_key, recovery_key=keys.recovery_key))
