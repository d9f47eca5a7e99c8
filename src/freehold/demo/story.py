"""The story of a market as its ledger tells it: followed event by event, and shown as it happens."""

import threading
import time
from collections.abc import Callable
from typing import Final

from freehold.agents.reading import Reader, TrainingSeen
from freehold.errors import FreeholdError, Unavailable
from freehold.ledger.remote import RemoteLedger
from freehold.terminal.live import Progress
from freehold.terminal.money import in_credits

_BAR: Final = 24


class Story:
    """What has happened so far, and what is shown of it."""

    def __init__(self, progress: Progress, rounds: int) -> None:
        self._progress = progress
        self._rounds = rounds
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self._began

    def tell(self, chapter: str, text: str) -> None:
        """A finished part of the story, with the time at which it was finished."""
        ink = self._progress.ink
        self._progress.say(f" {ink.strong(chapter.ljust(10))} {text}  {ink.dim(f'{self.seconds:.1f} s')}")

    def show(self, chapter: str, text: str) -> None:
        """A part that still changes: for those who watch; in a log only what is finished stands."""
        if not self._progress.in_place:
            return
        self._progress.show(chapter, f" {self._progress.ink.strong(chapter.ljust(10))} {text}")

    def wait_for(self, what: Callable[[], bool], check: Callable[[], None], seconds: float) -> None:
        """Waits until something holds, telling nothing; Unavailable if it does not in time."""
        ends = time.monotonic() + seconds
        while not what():
            check()
            if time.monotonic() > ends:
                raise Unavailable("The market did not move on in time.", next="try again when the machine is less busy")
            time.sleep(0.05)

    def votes(self, training: TrainingSeen, number: int) -> str:
        """One round's votes as a small grid: subset number, and a symbol for each replica."""
        ink, symbols = self._progress.ink, self._progress.symbols
        cells = []
        for place, vote in enumerate(training.of_round(number), start=1):
            marks = "".join(ink.vote(symbols.vote(job.record.state), job.record.state) for job in vote.jobs)
            cells.append(f"{place} {marks}")
        return "  ".join(cells)

    def bar(self, done: int) -> str:
        """How many rounds of all are done."""
        symbols, filled = self._progress.symbols, _BAR * done // self._rounds
        return (
            self._progress.ink.good(symbols.bar * filled) + symbols.rest * (_BAR - filled) + f" {done}/{self._rounds}"
        )


class Watcher:
    """Follows one training in a thread of its own and shows each round while it runs."""

    def __init__(self, story: Story, ledger: RemoteLedger, couple: str) -> None:
        self._story = story
        self._reader = Reader(ledger)
        self._couple = couple
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._told = 0

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(0.1):
            self._look()
        self._look()

    def _look(self) -> None:
        try:
            training = self._reader.training(self._couple)
        except FreeholdError:
            return
        if training is None:
            return
        running = training.couple.record.round
        while self._told + 1 < running or (self._told < running and training.couple.record.state == "ended"):
            self._told += 1
            self._tell(training, self._told)
        if running > self._told:
            self._story.show("round", f"{running}   {self._story.votes(training, running)}")
        self._story.show("progress", self._story.bar(self._told))

    def _tell(self, training: TrainingSeen, number: int) -> None:
        votes = training.of_round(number)
        accepted = [job for vote in votes for job in vote.jobs if job.record.state == "accepted"]
        paid = sum(vote.ballot.record.price for vote in votes for job in vote.jobs if job.record.state == "accepted")
        said = f"{self._story.votes(training, number)}   {len(accepted)} paid {in_credits(paid)}"
        self._story.tell(f"round {number}", said)
