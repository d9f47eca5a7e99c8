"""Commands as processes that are killed with SIGKILL at chosen moments and typed again at once.

A moment is counted in the process's own signs of life: a line that it wrote, or a change in its files. So it comes
where something has just been done, or is half done, on a fast machine as on a slow one; some come a little later, and
some while the process still starts. Everything is drawn from one seed: the same seed draws the same moments again,
though the machine decides how much happened by then.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNAVAILABLE = 5
"""The exit code that says: try again."""
PATIENCE = 180.0
_LOOK_EVERY = 0.004


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in the life of a process."""

    signs: int
    """Signs of life that it has given by then; 0: it still starts."""
    delay: float
    """Seconds after that."""

    @classmethod
    def drawn(cls, chance: random.Random, most_signs: int) -> Moment:
        """Mostly at a sign of life, sometimes a little later, and now and then during the start."""
        if chance.random() < 0.15:
            return cls(0, chance.uniform(0.0, 1.5))
        return cls(chance.randint(1, most_signs), chance.choice((0.0, 0.0, 0.003, 0.02, 0.1)) * chance.random())


class Terminal:
    """Somebody's terminal: a home, a configuration, and the commands that are typed there."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.name = name
        self.folder = folder
        self.killed: list[str] = []
        self._seed = seed
        self._typed = itertools.count(1)
        (folder / "logs").mkdir(parents=True)

    @property
    def kills(self) -> int:
        """How often a process of this terminal was killed."""
        return len(self.killed)

    def key_folder(self, profile: str) -> Path:
        """Where the keys, the journal and the models of a profile lie."""
        return self.folder / "home" / profile

    def chance(self, arguments: Sequence[str | Path]) -> random.Random:
        """What decides when a command is killed: of its own, since commands of one terminal may run side by side."""
        words = [word for word in map(str, arguments) if word.isalpha()]
        return random.Random(f"{self._seed}/{self.name}/{' '.join(words[:2])}")

    def starts(self, arguments: Sequence[str | Path]) -> Life:
        """Types a command and leaves it running."""
        log = self.folder / "logs" / f"{next(self._typed):03}"
        own = {
            "FREEHOLD_HOME": str(self.folder / "home"),
            "FREEHOLD_CONFIG": str(self.folder / "config.toml"),
            "FREEHOLD_FORMAT": "json",
            "NO_COLOR": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        passed = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
        with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "freehold", *map(str, arguments)],
                env=passed | own,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return Life(process, self, log, f"{self.name}: {' '.join(map(str, arguments))[:60]}")

    def types(
        self, *arguments: str | Path, kills: int = 0, most_signs: int = 6, done: Callable[[], bool] = lambda: False
    ) -> dict[str, Any] | None:
        """Types a command again and again until it ends well, killing it the first few times; its last result.

        Exit code 5 says to try again, so that is done. A command that was killed when all its work was done may say
        so instead of doing it twice; then `done` has to agree, and there is no result.
        """
        killed, chance = False, self.chance(arguments)
        for _ in range(kills):
            life = self.starts(arguments)
            if life.dies_at(Moment.drawn(chance, most_signs), lambda: False):
                killed = True
            elif life.code == 0:
                return life.result()
            elif life.code != UNAVAILABLE:
                break
        patience = time.monotonic() + PATIENCE
        while True:
            life = self.starts(arguments)
            code = life.ends(patience)
            if code == 0:
                return life.result()
            if code != UNAVAILABLE:
                assert killed, life.story()
                assert done(), life.story()
                return None
            assert time.monotonic() < patience, life.story()
            time.sleep(0.1)


class Life:
    """One process, from its start to its end."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: Terminal, log: Path, name: str) -> None:
        self.process = process
        self.name = name
        self._terminal = terminal
        self._log = log
        self._signs = 0
        self._seen = self._files()

    @property
    def code(self) -> int | None:
        """The exit code, None while it lives."""
        return self.process.poll()

    def dies_at(self, moment: Moment, spared: Callable[[], bool]) -> bool:
        """Waits for the moment and kills; False if the process ended before, or `spared` it."""
        while self._signs < moment.signs:
            if self.process.poll() is not None or spared():
                return False
            seen = self._files()
            if seen != self._seen:
                self._seen = seen
                self._signs += 1
            else:
                time.sleep(_LOOK_EVERY)
        time.sleep(moment.delay)
        self.process.kill()
        if self.process.wait() != -signal.SIGKILL:
            return False
        self._terminal.killed.append(f"{self.name}: {moment}")
        return True

    def ends(self, patience: float) -> int:
        """Waits until it ends by itself; its exit code."""
        try:
            return self.process.wait(max(0.1, patience - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"does not end: {self.story()}") from None

    def result(self) -> dict[str, Any]:
        """The document that it wrote at its end."""
        document: dict[str, Any] = json.loads(self._log.with_suffix(".out").read_text().splitlines()[-1])
        return document

    def story(self) -> str:
        """What it was and what it said last."""
        said = self._log.with_suffix(".out").read_text() + self._log.with_suffix(".err").read_text()
        return f"{self.name} ({self.code}): {said[-1500:]}"

    @property
    def has_spoken(self) -> bool:
        """Whether it has said anything yet."""
        return any(self._log.with_suffix(kind).stat().st_size > 0 for kind in (".out", ".err"))

    def _files(self) -> list[tuple[str, int, int]]:
        """Everything in the folder of its terminal that shows that something happened."""
        found = []
        folders = [str(self._terminal.folder)]
        while folders:
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        status = entry.stat(follow_symlinks=False)
                        found.append((entry.path, status.st_mtime_ns, status.st_size))
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
            except FileNotFoundError:
                continue
        return sorted(found)


class Service:
    """A command that stays: it is killed as often as `dies` says, and started again at once, until it is stopped."""

    def __init__(self, terminal: Terminal, *arguments: str | Path, most_signs: int = 12) -> None:
        self.terminal = terminal
        self.trouble = ""
        self._arguments = arguments
        self._most_signs = most_signs
        self._due = 0
        self._spared = False
        self._stopped = False
        self._life = terminal.starts(arguments)
        self._thread = threading.Thread(target=self._lives, name=terminal.name, daemon=True)
        self._thread.start()

    def dies(self, times: int) -> None:
        """Is killed this often from now on."""
        self._due += times

    def spared(self) -> None:
        """Is killed no more."""
        self._due = 0

    def check(self) -> None:
        """Fails if it ended by itself: then it could not be started again."""
        assert not self.trouble, self.trouble

    def stops(self) -> None:
        """Ends as a service manager ends it: asked, and with exit code 0."""
        self._stopped = True
        self._thread.join(PATIENCE)
        # whoever is asked while Python still starts knows no order yet: every service says a word once it runs
        patience = time.monotonic() + PATIENCE
        while not self._life.has_spoken and self._life.code is None:
            assert time.monotonic() < patience, self._life.story()
            time.sleep(0.01)
        self._life.process.terminate()
        code = self._life.ends(time.monotonic() + 20.0)
        self.check()
        assert code == 0, self._life.story()

    def dies_for_good(self) -> None:
        """Is killed and not started again; for the end of a test that failed."""
        self._stopped = True
        self._thread.join(5.0)
        self._life.process.kill()
        self._life.process.wait()

    def _lives(self) -> None:
        chance = self.terminal.chance(self._arguments)
        while not self._stopped:
            if self._life.code is not None:
                self.trouble = f"ended by itself: {self._life.story()}"
                return
            if self._due == 0:
                time.sleep(0.02)
                continue
            moment = Moment.drawn(chance, self._most_signs)
            if self._life.dies_at(moment, lambda: self._stopped or self._due == 0):
                self._due = max(0, self._due - 1)
                self._life = self.terminal.starts(self._arguments)
