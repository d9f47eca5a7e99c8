"""The executor as a process of its own: takes whatever the front has sent, makes a block of it, replies.

There is no timer and no thread. While a block is written the next actions arrive, so a busy ledger makes large
blocks and an idle one answers after one sync. The process ends when the front's end of the socket is closed, by
whatever death: what was sent before that is recorded, or not, and nobody has been told.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress

import msgspec

from freehold.errors import FreeholdError
from freehold.ledger import messages
from freehold.ledger.blocks import ACTIONS_LARGEST
from freehold.ledger.embedded.channel import About, Ask, Prove, Reply, Request, Submit, encoded, requests
from freehold.ledger.embedded.executor import Executor
from freehold.ledger.embedded.writer import in_blocks
from freehold.transport.trouble import trouble_of


def serve(opened: Callable[[], Executor], connection: socket.socket) -> None:
    """Opens the ledger, says how far it has come or why it did not open, then answers until the front is gone."""
    try:
        executor = opened()
    except FreeholdError as trouble:
        connection.sendall(encoded([Reply(0, trouble=trouble_of(trouble))]))
        return
    incoming = requests(connection)
    with closing(executor), suppress(ConnectionError):
        connection.sendall(encoded([_answer(executor, About(0))]))
        while some := incoming.take():
            for replies in _replies(executor, some):
                connection.sendall(encoded(replies))


def _replies(executor: Executor, some: Sequence[Request]) -> Iterator[list[Reply]]:
    """Replies to requests in their order; submissions that stand side by side share a block."""
    lots: list[Submit] = []
    for request in some:
        if lots and not (isinstance(request, Submit) and _fits(lots, request)):
            yield _record(executor, lots)
            lots = []
        if isinstance(request, Submit):
            lots.append(request)
        else:
            yield [_answer(executor, request)]
    if lots:
        yield _record(executor, lots)


def _fits(lots: Sequence[Submit], another: Submit) -> bool:
    return sum(len(lot.actions) for lot in (*lots, another)) <= ACTIONS_LARGEST


def _record(executor: Executor, lots: Sequence[Submit]) -> list[Reply]:
    outcomes = in_blocks(executor.record, [action for lot in lots for action in lot.actions])
    answers = map(messages.answer_of, outcomes)
    return [Reply(lot.number, answers=[next(answers) for _ in lot.actions]) for lot in lots]


def _answer(executor: Executor, request: Ask | About | Prove) -> Reply:
    try:
        if isinstance(request, About):
            return Reply(request.number, json=msgspec.json.encode(messages.info_message(executor.info())))
        if isinstance(request, Prove):
            proof = messages.record_proof_message(executor.prove(request.key))
            return Reply(request.number, json=msgspec.json.encode(proof))
        return Reply(request.number, json=msgspec.json.encode(executor.query(request.query, request.arguments)))
    except FreeholdError as error:
        return Reply(request.number, trouble=trouble_of(error))
