"""The whole market on one machine, from the first key to the last payment.

The demo plays no part in it. It makes folders, types the commands that members type, each with a home of its own, and
watches the ledger like anybody else; what a command of one member does not tell, the demo does not know. The only thing
that it adds are the cheaters: once everybody has joined honestly, some cloud owners' programs are ended and others with
the same keys are started in their place.
"""

import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, Final

from freehold.agents.reading import DatasetSeen, Reader
from freehold.demo import ground
from freehold.demo.folder import cannot_write, output_folder
from freehold.demo.ground import Place
from freehold.demo.measure import Measured, measure, train_centrally
from freehold.demo.people import CLOUD_OWNER, DATA_OWNER, MODEL_OWNER, People
from freehold.demo.plan import KINDS, Plan, Wish, make_plan
from freehold.demo.processes import Member, Processes, processes, termination_interrupts
from freehold.demo.scores import written
from freehold.demo.story import Story, Watcher
from freehold.demo.summary import Finished, leave_behind
from freehold.errors import Broken
from freehold.learning.prepared import load
from freehold.ledger.remote import RemoteLedger
from freehold.terminal.live import Progress
from freehold.terminal.money import MICRO, in_credits
from freehold.terminal.reading import shown_on
from freehold.terminal.symbols import plain

PRICE_JOB: Final = 250_000
PRICE_ROUND: Final = 3_000_000
_ORDER: Final = "demo"
_PATIENCE: Final = 120.0
"""Seconds that a step of the story may take before the demo gives up."""
_AT_ONCE: Final = 4
"""Commands that are started side by side: more of them would only wait for each other's start."""
_MOST_NOTICES: Final = 8


def run(wish: Wish, progress: Progress) -> dict[str, Any]:
    """Runs the market and leaves its folder behind; the summary. Raises what made it impossible, and leaves nothing."""
    with ExitStack() as stack:
        stack.enter_context(termination_interrupts())
        folder = stack.enter_context(output_folder(wish.out))
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-demo-")))
        plan = make_plan(wish, work, shown_on(progress))
        story = Story(progress, plan.rounds)
        with processes(work) as running, ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                finished = Stage(plan, story, running, pool).play()
            except BaseException:
                # what still runs would keep the pool waiting
                running.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        try:
            return leave_behind(finished, folder)
        except OSError as error:
            raise cannot_write(wish.out, error) from None


class Stage:
    """One performance: who is there, and what happens in which order."""

    def __init__(self, plan: Plan, story: Story, running: Processes, pool: ThreadPoolExecutor) -> None:
        self._plan = plan
        self._story = story
        self._running = running
        self._pool = pool
        self._people = People.gather(running, plan.cloud_owners)
        self._random = Random(plan.seed)  # noqa: S311 - who is to cheat is no secret
        self._prepared = running.work / "prepared"

    def play(self) -> Finished:
        """Everything from the foundation of the network to the evidence."""
        people = self._people
        preparing = self._pool.submit(self._prepare)
        place = self._found()
        joining = self._join(place)
        reader = Reader(ledger := RemoteLedger(place.url))
        preparing.result()
        dataset = self._publish(joining)
        seen = _dataset(reader, dataset)
        self._tell_holders(seen)
        people.data_owner.leaves_running("up", "--headless")
        training = self._pool.submit(self._train, dataset)
        self._plant(seen)
        couple = self._approve(reader, training)
        with Watcher(self._story, ledger, couple):
            central = self._pool.submit(train_centrally, self._plan, load(self._prepared))
            model = Path(training.result()["model"])
        groups = [list(group) for group in seen.dataset.record.groups or ()]
        done = reader.training(couple)
        complete = 0 if done is None else done.couple.record.turn
        measured = measure(self._plan, self._prepared, model, groups, complete, central.result())
        self._tell_quality(measured)
        # everybody goes home first: the evidence is about the very ledger that is left behind
        self._running.stop_members()
        evidence = self._audit(place, couple)
        self._running.stop()
        return Finished(
            plan=self._plan,
            people=people,
            place=place,
            prepared=self._prepared,
            model=model,
            evidence=evidence,
            measured=measured,
            seconds=self._story.seconds,
        )

    def _found(self) -> Place:
        """Founds the network and starts the nodes of its operators."""
        plan = self._plan
        cost = plan.rounds * (plan.subsets * plan.replicas * PRICE_JOB + PRICE_ROUND)
        place = ground.found(plan.engine, self._people, self._running, str(2 * cost // MICRO + 1))
        serves = {
            "embedded": "its node serves",
            "cometbft": f"{ground.OPERATORS} operators serve it,",
            "fabric": "two organisations of Fabric serve it,",
        }[plan.engine]
        self._story.tell("network", f"{place.network[:8]} founded; {serves} {place.url}")
        return place

    def _join(self, place: Place) -> list[Future[None]]:
        """Everybody makes keys; cloud owners open a slot and stay on line."""
        people = self._people
        owners = [
            self._pool.submit(self._init, people.data_owner, DATA_OWNER, place),
            self._pool.submit(self._init, people.model_owner, MODEL_OWNER, place),
        ]
        clouds = [self._pool.submit(self._open, member, place) for member in people.cloud_owners]
        people.treasury.leaves_running("up", "--headless", "--profile", "treasury")
        for owner in owners:
            owner.result()
        return clouds

    def _init(self, member: Member, role: str, place: Place) -> None:
        member.types("init", role, "--network", place.url, "--id", place.network, "--no-passphrase", "--yes")
        if role != CLOUD_OWNER:
            self._people.remember(member, role, place.network)

    def _open(self, member: Member, place: Place) -> None:
        self._init(member, CLOUD_OWNER, place)
        member.types("cloud", "open", "--slots", "1")
        self._people.remember(member, CLOUD_OWNER, place.network)
        member.leaves_running("up", "--headless")

    def _prepare(self) -> None:
        plan = self._plan
        self._people.data_owner.types(
            "dataset", "prepare", plan.training_rows, *plan.reading, "--subsets", str(plan.subsets),
            "--replicas", str(plan.replicas), "--group-min", str(plan.group_min), "--map", plan.map,
            "--out", self._prepared,
        )  # fmt: skip
        card = load(self._prepared).card
        said = f"{plan.name}: {card.rows:,} rows × {len(card.columns)} in {plan.subsets} subsets; R1, R2 hold"
        self._story.tell("split", said)
        for notice in plan.notices[:_MOST_NOTICES]:
            self._story.tell("columns", plain(notice, 200))

    def _publish(self, joining: list[Future[None]]) -> str:
        """Offers every subset to cloud owners, and waits until all slots are held."""
        plan = self._plan
        publishing = self._pool.submit(
            self._people.data_owner.types, "dataset", "publish", self._prepared, "--price-job", "0.25",
            "--price-round", "3", "--rounds-total", str(10 * plan.rounds), "--rounds-per-training", str(plan.rounds),
            "--answer-window", "60s", "--commit-window", f"{plan.commit_window}ms",
            "--close-window", f"{plan.commit_window}ms", "--idle-window", "120s",
            "--hold", f"{4 * plan.commit_window}ms", "--yes",
        )  # fmt: skip
        for done, future in enumerate(joining, start=1):
            future.result()
            self._story.show("joining", f"{done} of {plan.cloud_owners} cloud owners are on line")
        dataset = str(publishing.result()["dataset"])
        self._story.tell("published", f"dataset {dataset[:8]}: every slot offered, joined and verified")
        return dataset

    def _tell_holders(self, seen: DatasetSeen) -> None:
        names = self._people.names
        for subset in seen.subsets:
            holders = ", ".join(names.get(slot.co, slot.co[:8]) for slot in subset.subset.record.slots)
            self._story.tell(f"subset {subset.subset.record.index + 1}", f"sealed to {holders}")

    def _plant(self, seen: DatasetSeen) -> None:
        """Some cloud owners turn: each in a subset of its own, so that the honest ones keep their majorities."""
        chosen = self._random.sample(range(self._plan.subsets), len(self._plan.cheaters))
        for kind, index in zip(self._plan.cheaters, chosen, strict=True):
            holder = self._random.choice(seen.subsets[index].subset.record.slots).co
            member = self._people.cloud_owner(holder)
            self._people.planted[holder] = kind
            member.cheats(kind, CLOUD_OWNER)
            self._story.tell("cheater", f"{member.name}, in subset {index + 1}, {KINDS[kind]}")

    def _train(self, dataset: str) -> dict[str, Any]:
        plan = self._plan
        return self._people.model_owner.types(
            "train", dataset, "--rounds", str(plan.rounds), "--map", plan.map, "--name", _ORDER, "--yes"
        )

    def _approve(self, reader: Reader, training: "Future[dict[str, Any]]") -> str:
        """Waits for the request and says yes to it, as the data owner."""
        owner = self._people.ids[self._people.model_owner.name]

        def requested() -> bool:
            if training.done():
                training.result()
            return bool(reader.trainings(owner))

        self._story.wait_for(requested, self._running.check, _PATIENCE)
        couple = reader.trainings(owner)[0]
        self._story.tell(
            "requested", f"training {couple.id[:8]}, at most {in_credits(couple.record.balance)}, locked at the request"
        )
        self._people.data_owner.types("training", "approve", couple.id, "--yes")
        self._story.tell("approved", f"by the data owner, for {couple.record.rounds} rounds")
        return couple.id

    def _tell_quality(self, measured: Measured) -> None:
        score, central = (written(measured.measure, each) for each in (measured.freehold, measured.central))
        said = f"{measured.measure} {score} on {measured.test_rows} rows that nobody had"
        self._story.tell("model", f"{said}; trained centrally in the clear {central}")

    def _audit(self, place: Place, couple: str) -> Path:
        """Replays the ledger from its node, as any stranger can, and writes the evidence."""
        evidence = self._running.work / "evidence.json"
        audited = self._people.operator.types("audit", place.url, "--couple", couple, "--out", evidence)
        if not audited["valid"]:
            raise Broken(f"The ledger does not replay: {audited['fault']['what']}")
        self._story.tell("audited", f"{audited['actions']} actions replayed, 0 differences; money adds up")
        return evidence


def _dataset(reader: Reader, id: str) -> DatasetSeen:
    seen = reader.dataset(id)
    if seen is None:
        raise Broken(f"The ledger does not know dataset {id[:8]}, which was published.")
    return seen
