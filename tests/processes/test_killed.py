"""A market of real processes that are killed with `kill -9` again and again: it ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from freehold.agents.auditor.verify import verify
from freehold.errors import Unavailable
from freehold.learning.model_file import read_model
from freehold.learning.prepared import load
from freehold.ledger.remote import RemoteLedger
from freehold.node.runtime import open_ledger, read_network
from freehold.protocol.envelope import open_action
from freehold.protocol.network import network_id
from tests.agents.test_market import plaintext_weights
from tests.processes.mortal import PATIENCE, Service, Terminal

pytestmark = pytest.mark.processes

ROUNDS = 5
CLOUDS, SLOTS = 3, 4
FEWEST_KILLS = 30
PRICE_JOB, PRICE_ROUND, WELCOME = 250_000, 3_000_000, 100_000_000
SEEDS = [int(seed) for seed in os.environ.get("FREEHOLD_TEST_KILLS", "3").split(",")]


class Market:
    """Everybody's terminal and what runs in it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.operator = Terminal(folder / "operator", "operator", seed)
        self.data_owner = Terminal(folder / "data-owner", "data-owner", seed)
        self.model_owner = Terminal(folder / "model-owner", "model-owner", seed)
        self.clouds = [Terminal(folder / f"cloud-{number}", f"cloud-{number}", seed) for number in range(CLOUDS)]
        self.services: list[Service] = []

    @property
    def terminals(self) -> list[Terminal]:
        return [self.operator, self.data_owner, self.model_owner, *self.clouds]

    @property
    def network_folder(self) -> Path:
        return self.operator.folder / "network"

    def leaves_running(self, terminal: Terminal, *arguments: str | Path, most_signs: int = 12) -> Service:
        service = Service(terminal, *arguments, most_signs=most_signs)
        self.services.append(service)
        return service

    def dies(self, times: int) -> None:
        for service in self.services:
            service.dies(times)

    def check(self) -> None:
        for service in self.services:
            service.check()

    def stops(self) -> None:
        """Members first, the node last, as a person would."""
        for service in reversed(self.services):
            service.stops()


@pytest.fixture(params=SEEDS)
def market(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Market]:
    made = Market(tmp_path, request.param)
    try:
        yield made
    finally:
        for service in made.services:
            service.dies_for_good()
            print(service.trouble)
        for terminal in made.terminals:
            print(f"{terminal.kills:3} kills", *terminal.killed, sep="\n    ")
        print(f"the same moments again: FREEHOLD_TEST_KILLS={made.seed} pytest tests/processes/test_killed.py")


def test_whoever_is_killed_at_any_moment_and_started_again_finishes_the_training_and_repeats_nothing(
    market: Market,
) -> None:
    network = founds(market)
    with ThreadPoolExecutor(CLOUDS + 3) as pool:
        preparing = pool.submit(prepares, market)
        joining = [pool.submit(joins, market, market.data_owner, "data-owner", network)]
        joining += [pool.submit(joins, market, market.model_owner, "model-owner", network)]
        joining += [pool.submit(opens_slots, market, cloud, network) for cloud in market.clouds]
        for each in [preparing, *joining]:
            each.result()
        dataset = publishes(market)
        market.dies(2)
        training = pool.submit(trains, market, dataset)
        couple = approves(market, training)
        document = training.result()
    for service in market.services:
        service.spared()
    market.check()
    market.operator.types("audit", market.url, "--couple", couple, "--out", "evidence.json", kills=2)
    market.stops()

    assert sum(terminal.kills for terminal in market.terminals) >= FEWEST_KILLS
    assert all(terminal.kills > 1 for terminal in market.terminals)
    assert document["phase"] == "finished", document
    prepared = load(market.data_owner.folder / "prepared")
    assert np.array_equal(read_model(Path(document["model"])).weights, plaintext_weights(prepared, rounds=ROUNDS))
    assert_the_evidence_shows_a_training_without_a_flaw(market, couple)
    assert_the_ledger_repeats_nothing(market)


def founds(market: Market) -> str:
    """Founds the network, serves it, and lets the treasury welcome everybody."""
    operator = market.operator
    operator.types(
        "network", "create", "network", "--url", market.url, "--skew", "250", "--grace", "500",
        "--welcome-model-owner", str(WELCOME // 10**6), "--welcome-cloud-owner", "1", "--no-passphrase", "--yes",
        kills=3, done=lambda: has_profile(operator, "treasury"),
    )  # fmt: skip
    port = market.url.rpartition(":")[2]
    node = market.leaves_running(operator, "node", "--network", "network", "--port", port, most_signs=60)
    treasury = market.leaves_running(operator, "up", "--headless", most_signs=60)
    node.dies(1)
    treasury.dies(2)
    return str(network_id(read_network(market.network_folder)))


def prepares(market: Market) -> None:
    person = market.data_owner
    table = write_table(person.folder / "table.csv")
    person.types(
        "dataset", "prepare", table, "--target", "outcome", "--map", "identity", "--out", "prepared",
        kills=3, most_signs=4, done=(person.folder / "prepared").exists,
    )  # fmt: skip


def write_table(path: Path) -> Path:
    """Seven numbers and a class that hangs on them: enough columns that five rounds have something to tell."""
    chance = random.Random(1)
    names = "abcdefg"
    lines = [",".join((*names, "outcome"))]
    for _ in range(240):
        numbers = [chance.gauss(0, 1 + place) for place in range(len(names))]
        sick = sum(number / (1 + place) ** 1.5 for place, number in enumerate(numbers)) + chance.gauss(0, 0.5) > 0.2
        lines.append(",".join((*(f"{number:.2f}" for number in numbers), "sick" if sick else "well")))
    path.write_text("\n".join(lines) + "\n")
    return path


def joins(market: Market, person: Terminal, role: str, network: str) -> None:
    keys = ("--network", market.url, "--id", network, "--no-passphrase", "--yes")
    person.types("init", role, *keys, kills=2, most_signs=4, done=lambda: has_profile(person, role))


def has_profile(person: Terminal, name: str) -> bool:
    """Whether a command that makes a profile has done all its work: the profile is what it writes last."""
    configuration = person.folder / "config.toml"
    return configuration.exists() and f"[profiles.{name}]" in configuration.read_text()


def opens_slots(market: Market, cloud: Terminal, network: str) -> None:
    joins(market, cloud, "cloud-owner", network)
    cloud.types("cloud", "open", "--slots", str(SLOTS), kills=1, most_signs=4)
    service = market.leaves_running(cloud, "up", "--headless")
    service.dies(2)


def publishes(market: Market) -> str:
    """Publishes alone, or beside an agent of the same profile: the command then only watches."""
    person = market.data_owner
    agent_first = bool(market.seed % 2)
    up = ("up", "--headless")
    if agent_first:
        market.leaves_running(person, *up).dies(1)
    document = person.types(
        "dataset", "publish", "prepared", "--price-job", "0.25", "--price-round", "3", "--rounds-total", "40",
        "--answer-window", "120s", "--commit-window", "30s", "--close-window", "30s", "--idle-window", "120s",
        "--hold", "120s", "--yes", kills=4, most_signs=15,
    )  # fmt: skip
    assert document is not None
    if not agent_first:
        market.leaves_running(person, *up)
    return str(document["dataset"])


def trains(market: Market, dataset: str) -> dict[str, Any]:
    person = market.model_owner
    if not market.seed % 3:
        market.leaves_running(person, "up", "--headless").dies(3)
    document = person.types(
        "train", dataset, "--rounds", str(ROUNDS), "--map", "identity", "--name", "heart", "--yes",
        kills=5, most_signs=12,
    )  # fmt: skip
    assert document is not None
    return document


def approves(market: Market, training: Future[dict[str, Any]]) -> str:
    """Says yes as soon as somebody asks."""
    patience = time.monotonic() + PATIENCE
    asked: list[dict[str, Any]] = []
    while not asked:
        if training.done():
            training.result()
        market.check()
        assert time.monotonic() < patience, "nobody asks for a training"
        time.sleep(0.1)
        with suppress(Unavailable), closing(RemoteLedger(market.url)) as ledger:
            asked = ledger.evaluate("list", {"kind": "couple"})
    couple = str(asked[0]["id"])
    document = market.data_owner.types("training", "approve", couple, "--yes", kills=3)
    assert document is not None
    assert document["approved"]
    return couple


def assert_the_evidence_shows_a_training_without_a_flaw(market: Market, couple: str) -> None:
    report = verify((market.operator.folder / "evidence.json").read_bytes())
    account = report.account
    assert (account.couple, account.state, account.rounds_complete) == (couple, "ended", ROUNDS)
    assert account.jobs == {"accepted": 12 * ROUNDS}
    assert account.blamed == ()
    fees, escrow = 12 * ROUNDS * PRICE_JOB, ROUNDS * (12 * PRICE_JOB + PRICE_ROUND)
    assert (account.money.cloud_owners, account.money.data_owners) == (fees, ROUNDS * PRICE_ROUND)
    assert (account.money.escrow, account.money.returned, account.money.locked) == (escrow, 0, 0)
    assert market.operator.types("verify", "evidence.json") is not None


def assert_the_ledger_repeats_nothing(market: Market) -> None:
    with open_ledger(market.network_folder) as ledger:
        actions = [action for block in ledger.export(0, 100_000) for action in block.actions]
        totals = ledger.evaluate("totals", {})
    assert len(set(actions)) == len(actions)
    recorded = Counter(open_action(action).function for action in actions)
    once = ("CreateDO", "CreateMO", "CreateDS", "PublishDS", "CreateMod", "RequestTC", "ApproveTC", "EndTC")
    assert {name: recorded[name] for name in once} == dict.fromkeys(once, 1)
    assert recorded["CreateCI"] == recorded["JoinCI"] == recorded["VerifyCI"] == 12
    assert recorded["CreateCO"] == recorded["Deposit"] - 1
    assert recorded["StartRound"] == ROUNDS
    assert recorded["UpdateTJ"] == 12 * ROUNDS
    assert recorded["CloseRound"] == 4 * ROUNDS
    assert totals["conserved"]
