"""One market from its first action to its last, as a vector: `python -m tests.second_opinion.story` writes it again.

The story is told when its two halves are imported; each step states what must come of it.
"""

import json
from pathlib import Path

from tests.second_opinion import story_training
from tests.second_opinion.hashes import sha256
from tests.second_opinion.reader import encode
from tests.second_opinion.stage import NET, out, s

VECTOR = Path(__file__).parent.parent / "vectors" / "market.json"
DESCRIPTION = (
    "One market from its first action to its last, as an implementation written from the protocol alone computed it. "
    "Each step: the engine's time, the action (key, signature, body as text), and either the code of its refusal, or "
    "its result, the records that it changed (key: canonical JSON) and its events [name, subject, to] in their order. "
    "'state': SHA-256 of all records in the end, ascending by key, each as key, space, canonical JSON, line feed."
)


def document() -> str:
    """The vector file."""
    assert story_training.TC, "the story was told"
    steps = []
    for entry in out:
        raw = bytes.fromhex(entry["action"])
        action = {"key": raw[:32].hex(), "signature": raw[32:96].hex(), "body": raw[96:].decode()}
        steps.append({**entry, "action": action})
    records = "".join(f"{key} {encode(record)}\n" for key, record in sorted(s.records.items()))
    state = sha256(records.encode()).hex()
    content = {"description": DESCRIPTION, "network": encode(NET), "steps": steps, "state": state}
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    VECTOR.write_text(document(), "ascii")
