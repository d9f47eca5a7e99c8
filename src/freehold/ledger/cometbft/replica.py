"""The application's file, followed from another process: the state to ask, the history to follow, what was refused.

The application rings after each commit, and its file is then read: whole blocks, in their order, durable before
anybody hears of them. Nothing is checked again; it is this machine's own file, and the application checked it when it
began. The place from which to go on is the height that was read last, so a bell that was missed is made up for by the
next.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from freehold.errors import FreeholdError, Invalid
from freehold.ledger import blocks
from freehold.ledger.cometbft.file import CommitFile, Ordered, StoredBlock
from freehold.ledger.cometbft.seats import Seats
from freehold.ledger.frames import LENGTH
from freehold.ledger.genesis import genesis_of
from freehold.ledger.history import History, accepted_of
from freehold.ledger.lots import Outcome
from freehold.ledger.past import Past, RecordedState
from freehold.ledger.state import State
from freehold.ports.machine import Machine
from freehold.transport.trouble import TROUBLE_LARGEST, Trouble, error_of

Tell: TypeAlias = Callable[[Sequence[tuple[bytes, Outcome]]], None]
"""Told digests of actions and what became of them."""

_LISTEN_SECONDS: Final = 1.0
"""However quiet the bell is, the file is read this often."""
_AGAIN_SECONDS: Final = 0.05
_DIGEST: Final = 32
_TROUBLE = msgspec.json.Decoder(Trouble)


class Replica:
    """What a node knows of its own application's ledger; safe to use from many threads."""

    def __init__(self, path: Path, bell: Path, machine: Machine, tell: Tell, seats: Seats | None = None) -> None:
        """Reads what the file holds so far; Unavailable if there is none yet."""
        genesis = genesis_of(machine)
        self.file = CommitFile.read(path, genesis.network)
        self.history = History()
        self.height = self.size = self.time = 0
        self.told = 0
        """How many actions the history holds: `size`, or a little less while a block enters it."""
        self.handovers: list[int] = []
        """Heights of the blocks in which validators came or went."""
        self._seats = seats
        self._bell = bell
        self._machine = machine
        self._tell = tell
        self._state = State(genesis.records)
        self._past = Past()
        self._recorded = RecordedState(state=self._state, past_blocks=self._past, written=self._written)
        self._reading = threading.Lock()
        self._stopping = threading.Event()
        # Before the blocks: whatever is committed meanwhile is then read twice at most, and never passed over.
        self._commit = self.file.last()[0]
        self._read_blocks()
        self._thread = threading.Thread(target=self._listen, name="ledger-replica", daemon=True)
        self._thread.start()

    def query(self, name: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest state that was read."""
        with self._reading:
            return self._machine.query(self._recorded, name, arguments)

    def refusal(self, action: bytes, time: int) -> FreeholdError | None:
        """Why the rules would refuse an action now; None if they would not."""
        try:
            with self._reading:
                self._machine.execute(self._state.read, action, time)
        except FreeholdError as refused:
            return refused
        return None

    def close(self) -> None:
        """Stops following and sends whoever waits for events away."""
        self._stopping.set()
        self._thread.join()
        self.history.close()
        self.file.close()

    def _written(self, height: int) -> tuple[int, Mapping[str, bytes]]:
        (block,) = self.file.blocks(height - 1, 1)
        return blocks.parse_header(block.header).time, blocks.decode_body(block.body).writes

    def _listen(self) -> None:
        while not self._stopping.is_set():
            with suppress(OSError, FreeholdError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_LISTEN_SECONDS)
                connection.connect(str(self._bell))
                self._follow(connection)
            self._stopping.wait(_AGAIN_SECONDS)

    def _follow(self, connection: socket.socket) -> None:
        """Reads the file at each ring, until the application has hung up."""
        buffer = bytearray()
        while not self._stopping.is_set():
            self._catch_up()
            try:
                piece = connection.recv(2**16)
            except TimeoutError:
                continue
            if not piece:
                return
            buffer += piece
            turned_away = [_turned_away(each) for each in _messages(buffer) if each]
            if turned_away:
                # What was recorded meanwhile is turned away too, and nobody is to hear that it was refused.
                self._catch_up()
                self._tell([(digest, self.history.resolve(digest) or trouble) for digest, trouble in turned_away])

    def _catch_up(self) -> None:
        while heights := self.file.commits(self._commit):
            self._read_blocks()
            ordered = self.file.ordered(heights[0], heights[-1])
            self._commit = heights[-1]
            self._tell([(each.digest, outcome) for each in ordered if (outcome := self._outcome(each)) is not None])

    def _outcome(self, ordered: Ordered) -> Outcome | None:
        # An action that was accepted before is refused when it is ordered again: the first outcome is what counts.
        known = self.history.resolve(ordered.digest)
        if known is not None or ordered.refusal is None:
            return known
        return error_of(_TROUBLE.decode(ordered.refusal))

    def _read_blocks(self) -> None:
        while some := self.file.blocks(self.height, 64):
            for block in some:
                self._take(block)

    def _take(self, block: StoredBlock) -> None:
        contents, header = blocks.decode_body(block.body), blocks.parse_header(block.header)
        first = header.size - len(contents.actions)
        effects = zip(contents.results, contents.events, strict=True)
        accepted = accepted_of(first, block.height, header.time, effects)
        before = self._validators(contents.writes)
        with self._reading:
            self._state.apply(contents.writes)
            self._past.wrote(block.height, contents.writes)
            self.height, self.size, self.time = block.height, header.size, header.time
        if self._validators(contents.writes) != before:
            self.handovers.append(block.height)
        # After the state, so that whoever hears of an event finds what it is about.
        self.history.append(contents.actions, accepted)
        self.told = header.size

    def _validators(self, writes: Mapping[str, bytes]) -> frozenset[bytes] | None:
        """Who signs blocks now, if these writes may change it."""
        if self._seats is None or not any(key.startswith(self._seats.watched) for key in writes):
            return None
        return self._seats.validators(self._state.read)


def _messages(buffer: bytearray) -> list[bytes]:
    """Takes every whole message of the bell off the buffer."""
    found: list[bytes] = []
    at = 0
    while len(buffer) - at >= LENGTH:
        size = int.from_bytes(buffer[at : at + LENGTH], "big")
        if size > _DIGEST + TROUBLE_LARGEST:
            raise Invalid("the application's bell says something too long")
        if len(buffer) - at - LENGTH < size:
            break
        found.append(bytes(buffer[at + LENGTH : at + LENGTH + size]))
        at += LENGTH + size
    del buffer[:at]
    return found


def _turned_away(message: bytes) -> tuple[bytes, FreeholdError]:
    try:
        return message[:_DIGEST], error_of(_TROUBLE.decode(message[_DIGEST:]))
    except msgspec.MsgspecError:
        raise Invalid("the application's bell says something that makes no sense") from None
