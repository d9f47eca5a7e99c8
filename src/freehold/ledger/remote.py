"""A ledger that a node serves, reached over HTTP; satisfies `ports.ledger.Ledger`.

What the node says is believed about the present and never about the past: whoever needs proof takes the blocks
(`export`) and replays them, or one of the small proofs (`prove_…`) and checks it. Lost answers are named as such;
`resolve` tells later what became of an action.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.errors import Invalid
from freehold.ledger import messages
from freehold.ledger.blocks import ACTIONS_LARGEST, HEADER_LARGEST, RESULT_LARGEST
from freehold.ledger.frames import frame, unframe
from freehold.ports.ledger import Accepted, ActionProof, Block, EventPage, LedgerInfo, RecordProof
from freehold.protocol.digests import sha256
from freehold.protocol.limits import ACTION_LARGEST
from freehold.protocol.signatures import SIGNATURE_BYTES
from freehold.transport.client import NodeClient, decoded, encoded
from freehold.transport.signed_reads import Reader
from freehold.transport.trouble import error_of

_BLOCKS_BODY = messages.BLOCKS_BODY_GOAL + messages.BLOCK_LARGEST


class RemoteLedger:
    """The ledger of the node at one URL; safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self._client = NodeClient(url)

    def submit(self, action: bytes) -> Accepted:
        """Sends a signed action and waits until it is durable.

        Raises Refused (nothing is recorded) or Unavailable (`now` says whether anything was sent).
        """
        body = self._client.request(
            "POST", "/actions", content=frame([action]), largest=messages.ANSWER_LARGEST, changes=True
        )
        answers = unframe(body, largest=messages.ANSWER_LARGEST, most=1)
        accepted = _accepted(answers[0]) if answers else None
        if accepted is None:
            raise Invalid("the node gave no answer to the action", now="sent, outcome unknown")
        return accepted

    def resolve(self, action: bytes) -> Accepted | None:
        """What became of exactly these bytes: None means that they are not recorded so far."""
        path = f"/actions/{sha256(action).hex()}"
        return _accepted(self._client.request("GET", path, largest=messages.ANSWER_LARGEST))

    def evaluate(self, query: str, arguments: Mapping[str, object]) -> Any:
        """Asks the rules about the newest durable state."""
        question = encoded(messages.Question(query=query, arguments=dict(arguments)))
        body = self._client.request("POST", "/evaluate", content=question, largest=messages.REPLY_LARGEST)
        return decoded(body, messages.Reply).answer

    def events(self, after: int, *, to: str | None = None, wait: float = 0.0) -> EventPage:
        """Events above the cursor `after`, of one member if `to` is given, waiting up to `wait` seconds (at most 25)
        for the first."""
        parameters: dict[str, str | int | float] = {"after": after, "wait": min(wait, messages.WAIT_LARGEST)}
        if to is not None:
            parameters["to"] = to
        body = self._client.request("GET", "/events", parameters=parameters, largest=messages.PAGE_LARGEST)
        return messages.page_of(decoded(body, messages.PageMessage))

    def export(self, after: int, limit: int) -> Sequence[Block]:
        """Blocks above the height `after`, ascending: at most `limit`, and no more than a node gives at once."""
        parameters: dict[str, str | int | float] = {"after": after, "limit": min(limit, messages.BLOCKS_LARGEST)}
        body = self._client.request("GET", "/blocks", parameters=parameters, largest=_BLOCKS_BODY)
        parts = unframe(body, largest=messages.BLOCK_LARGEST, most=4 * messages.BLOCKS_LARGEST)
        if len(parts) % 4:
            raise Invalid("the node's answer cuts a block off")
        return [_block(*parts[at : at + 4]) for at in range(0, len(parts), 4)]

    def info(self) -> LedgerInfo:
        """Which ledger this is and how far it has come."""
        return messages.info_of(decoded(self._client.request("GET", "/", largest=messages.INFO_LARGEST), messages.Info))

    def seal(self, height: int) -> bytes:
        """What several operators signed about the block at this height; empty where one operator signs each block."""
        return self._client.request("GET", "/seal", parameters={"height": height}, largest=messages.SEAL_LARGEST)

    def prove_action(self, action: bytes) -> ActionProof:
        """The node's proof that exactly these bytes are recorded; `proofs.checks` says whether it is one."""
        body = self._proof(f"/proofs/actions/{sha256(action).hex()}")
        return messages.action_proof_of(decoded(body, messages.ActionProofMessage))

    def prove_growth(self, old: int, new: int) -> tuple[bytes, ...]:
        """The node's proof that the log of `new` actions begins with that of `old`."""
        message = decoded(self._proof(f"/proofs/growth?old={old}&new={new}"), messages.GrowthProofMessage)
        return tuple(bytes.fromhex(digest) for digest in message.path)

    def prove_record(self, key: str) -> RecordProof:
        """The node's proof of what the record `kind/id` holds, or that there is none."""
        return messages.record_proof_of(decoded(self._proof(f"/proofs/records/{key}"), messages.RecordProofMessage))

    def _proof(self, path: str) -> bytes:
        return self._client.request("GET", path, largest=messages.PROOF_LARGEST)

    def sign_reads(self, reader: Reader) -> None:
        """Shows who reads, from when on the node asks for it."""
        self._client.sign_reads(reader)

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()


def _accepted(body: bytes) -> Accepted | None:
    answer = decoded(body, messages.Answer)
    if answer.error is not None:
        raise error_of(answer.error)
    return None if answer.accepted is None else messages.accepted_of(answer.accepted)


def _block(header: bytes, signature: bytes, actions: bytes, results: bytes) -> Block:
    # Where several operators seal, no block has a signature of its own.
    if len(header) > HEADER_LARGEST or len(signature) not in (0, SIGNATURE_BYTES):
        raise Invalid("the node's answer holds a block whose header or signature has no possible size")
    return Block(
        header=header,
        signature=signature,
        actions=tuple(unframe(actions, largest=ACTION_LARGEST, most=ACTIONS_LARGEST)),
        results=tuple(unframe(results, largest=RESULT_LARGEST, most=ACTIONS_LARGEST)),
    )
