"""Four operators of one ledger: one joins, one changes its card, one leaves. `python -m …` writes the vector again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from tests.second_opinion.crowd import verify
from tests.second_opinion.hashes import T, sha256
from tests.second_opinion.opinion import SecondOpinion
from tests.second_opinion.reader import encode
from tests.second_opinion.refusal import Refused

VECTOR = Path(__file__).parent.parent / "vectors" / "operators.json"
DESCRIPTION = (
    "Operators of one ledger, as an implementation written from the protocol alone computed it; the form is that of "
    "market.json."
)
NOW = 1_000_000


def x(number: int) -> str:
    """One byte, 32 times."""
    return f"{number:02x}" * 32


class Story:
    """The second opinion about everything that somebody says."""

    def __init__(self) -> None:
        self.keys = [SigningKey(bytes([40 + number]) * 32) for number in range(6)]
        self.names = [bytes(key.verify_key).hex() for key in self.keys]
        network = {
            "grace": 60_000,
            "nonce": x(1),
            "operators": sorted((self.card(number) for number in range(4)), key=lambda each: str(each["key"])),
            "referees": [],
            "skew": 30_000,
            "stores": ["main"],
            "treasury": x(2),
        }
        self.network = network
        self.opinion = SecondOpinion(network, verify)
        self.steps: list[dict[str, Any]] = []

    def card(self, number: int, version: int = 0) -> dict[str, str]:
        """An operator's card."""
        node, validator = f"{16 * version + number:02x}" * 20, x(128 + 16 * version + number)
        host = f"ledger-{number}.example:{26656 + version}"
        return {"address": host, "key": self.names[number], "node": node, "validator": validator}

    def say(self, what: str, who: int, function: str, arguments: dict[str, Any], expected: str | None = None) -> str:
        """Somebody says something; its fate is the expected one."""
        name = self.names[who]
        said = {"arguments": arguments, "function": function, "member": name, "network": self.opinion.network_id}
        body = encode({**said, "time": NOW}).encode()
        signature = self.keys[who].sign(T("action") + body).signature
        before, code, done = dict(self.opinion.records), None, ""
        action = {"key": name, "signature": signature.hex(), "body": body.decode()}
        step: dict[str, Any] = {"what": what, "time": NOW, "action": action}
        try:
            done, written, told = self.opinion.execute(bytes.fromhex(name) + signature + body, NOW)
            changed = {key: encode(each) for key, each in sorted(written.items()) if before.get(key) != each}
            step |= {"result": encode({"id": done}), "changed": changed, "events": [list(each) for each in told]}
        except Refused as refused:
            step["refused"] = code = refused.code
        assert code == expected, (what, code)
        self.steps.append(step)
        return done

    def propose(self, what: str, who: int, place: int, card: dict[str, str] | None, code: str | None = None) -> str:
        """Somebody proposes how a place is to be held."""
        arguments: dict[str, Any] = {"nonce": x(len(self.steps)), "operator": self.names[place]}
        return self.say(what, who, "ProposeOperator", arguments | ({"card": card} if card else {}), code)

    def approve(self, what: str, who: int, proposal: str, code: str | None = None) -> None:
        """Somebody approves."""
        self.say(what, who, "ApproveOperator", {"proposal": proposal}, code)


def told() -> Story:
    """The story from the first proposal to the last."""
    story = Story()
    story.propose("a stranger proposes itself", 4, 4, story.card(4), "not-yours")
    story.propose("the card of a fifth is another's place", 0, 4, story.card(5), "state")
    story.propose(
        "a fifth has the node of the first", 0, 4, {**story.card(4), "node": story.card(0)["node"]}, "duplicate"
    )
    story.propose("a place that nobody has is given up", 0, 4, None, "state")
    joins = story.propose("the first proposes a fifth", 0, 4, story.card(4))
    story.approve("the first approves twice", 0, joins, "exists")
    story.approve("the second approves", 1, joins)
    story.approve("the fifth is no operator yet", 4, joins, "not-yours")
    story.approve("the third approves: five now", 2, joins)
    story.approve("the fourth comes too late", 3, joins, "state")
    story.propose("nothing would change", 0, 1, story.card(1), "duplicate")
    moves = story.propose("the fifth has a new validator", 4, 4, story.card(4, 1))
    story.approve("a second voice", 0, moves)
    story.approve("a third of five", 1, moves)
    later = story.propose("the third has a new validator, too", 2, 2, story.card(2, 1))
    story.approve("the fourth approves that", 3, later)
    leaves = story.propose("the fourth is to leave", 2, 3, None)
    story.approve("it approves, too", 3, leaves)
    story.approve("and the first", 0, leaves)
    story.approve("four of five: the fourth is gone", 1, leaves)
    story.approve("it has no voice any more", 3, moves, "not-yours")
    story.approve("and the one that it gave counts no more: two of four", 1, later)
    story.approve("three of four, with the fifth's own: the new validator", 2, moves)
    story.approve("what nobody proposed", 0, x(9), "unknown")
    return story


def document() -> str:
    """The vector file."""
    story = told()
    records = "".join(f"{key} {encode(record)}\n" for key, record in sorted(story.opinion.records.items()))
    content = {"description": DESCRIPTION, "network": encode(story.network), "steps": story.steps}
    return json.dumps({**content, "state": sha256(records.encode()).hex()}, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    VECTOR.write_text(document(), "ascii")
