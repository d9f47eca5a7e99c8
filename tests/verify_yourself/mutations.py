"""Ways to damage an evidence file: one byte, one record, one block, or the file as a whole."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

Mutation = Callable[[bytes, Random], bytes]


def flips_a_bit(data: bytes, chance: Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def writes_another_character(data: bytes, chance: Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([chance.choice(b'0123456789abcdefABCDEF{}[]",: +/=')]) + data[place + 1 :]


def leaves_bytes_out(data: bytes, chance: Random) -> bytes:
    begin = chance.randrange(len(data))
    return data[:begin] + data[begin + chance.randint(1, 100) :]


def cuts_the_end_off(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))]


def repeats_bytes(data: bytes, chance: Random) -> bytes:
    begin = chance.randrange(len(data))
    return data[: begin + chance.randint(1, 100)] + data[begin:]


def adds_white_space(data: bytes, chance: Random) -> bytes:
    place = chance.choice([place for place, byte in enumerate(data) if byte in b",:[]{}"][:5000])
    return data[:place] + b" " + data[place:]


def _edited(edit: Callable[[dict[str, Any], Random], None]) -> Mutation:
    """A mutation of what the file says, written in canonical spelling, so that only its meaning can give it away."""

    def mutate(data: bytes, chance: Random) -> bytes:
        file = json.loads(data)
        edit(file, chance)
        return json.dumps(file, sort_keys=True, separators=(",", ":")).encode("ascii")

    return mutate


def _drops_a_block(file: dict[str, Any], chance: Random) -> None:
    del file["blocks"][chance.randrange(len(file["blocks"]))]


def _drops_the_last_blocks(file: dict[str, Any], chance: Random) -> None:
    del file["blocks"][chance.randrange(len(file["blocks"])) :]


def _drops_the_last_blocks_and_the_checkpoint(file: dict[str, Any], chance: Random) -> None:
    _drops_the_last_blocks(file, chance)
    file.pop("checkpoint", None)


def _drops_the_checkpoint(file: dict[str, Any], chance: Random) -> None:
    file.pop("checkpoint", None)


def _repeats_a_block(file: dict[str, Any], chance: Random) -> None:
    place = chance.randrange(len(file["blocks"]))
    file["blocks"].insert(chance.randint(0, len(file["blocks"])), file["blocks"][place])


def _swaps_two_blocks(file: dict[str, Any], chance: Random) -> None:
    one, other = chance.sample(range(len(file["blocks"])), 2)
    blocks = file["blocks"]
    blocks[one], blocks[other] = blocks[other], blocks[one]


def _moves_an_action(file: dict[str, Any], chance: Random) -> None:
    one, other = chance.sample(file["blocks"], 2)
    for part in ("actions", "results"):
        other[part].append(one[part].pop())


def _swaps_two_results(file: dict[str, Any], chance: Random) -> None:
    one, other = chance.sample(file["blocks"], 2)
    one["results"][0], other["results"][0] = other["results"][0], one["results"][0]


def _changes_an_action(file: dict[str, Any], chance: Random) -> None:
    block = chance.choice(file["blocks"])
    action = bytearray(base64.b64decode(block["actions"][0]))
    action[chance.randrange(len(action))] ^= 1 << chance.randrange(8)
    block["actions"][0] = base64.b64encode(action).decode("ascii")


def _changes_a_header(file: dict[str, Any], chance: Random) -> None:
    header = chance.choice(file["blocks"])["header"]
    name = chance.choice(sorted(header))
    header[name] = header[name] + 1 if isinstance(header[name], int) else chance.randbytes(32).hex()


def _takes_another_signature(file: dict[str, Any], chance: Random) -> None:
    one, other = chance.sample(file["blocks"], 2)
    one["signature"] = other["signature"]


def _names_another_training(file: dict[str, Any], chance: Random) -> None:
    ids = [result["id"] for block in file["blocks"] for result in block["results"]]
    file["couple"] = chance.choice([*ids, chance.randbytes(32).hex()])


def _names_another_operator(file: dict[str, Any], chance: Random) -> None:
    file["operator"] = chance.randbytes(32).hex()


def _changes_the_network(file: dict[str, Any], chance: Random) -> None:
    name = chance.choice(sorted(file["network"]))
    value = file["network"][name]
    file["network"][name] = value + 1 if isinstance(value, int) else []


def _adds_a_field(file: dict[str, Any], chance: Random) -> None:
    place = chance.choice([file, chance.choice(file["blocks"]), chance.choice(file["blocks"])["header"]])
    place["remark"] = "nothing"


MUTATIONS: Final[dict[str, Mutation]] = {
    "flips a bit": flips_a_bit,
    "writes another character": writes_another_character,
    "leaves bytes out": leaves_bytes_out,
    "cuts the end off": cuts_the_end_off,
    "repeats bytes": repeats_bytes,
    "adds white space": adds_white_space,
    "drops a block": _edited(_drops_a_block),
    "drops the last blocks": _edited(_drops_the_last_blocks),
    "drops the last blocks and the checkpoint": _edited(_drops_the_last_blocks_and_the_checkpoint),
    "drops the checkpoint": _edited(_drops_the_checkpoint),
    "repeats a block": _edited(_repeats_a_block),
    "swaps two blocks": _edited(_swaps_two_blocks),
    "moves an action": _edited(_moves_an_action),
    "swaps two results": _edited(_swaps_two_results),
    "changes an action": _edited(_changes_an_action),
    "changes a header": _edited(_changes_a_header),
    "takes another signature": _edited(_takes_another_signature),
    "names another training": _edited(_names_another_training),
    "names another operator": _edited(_names_another_operator),
    "changes the network": _edited(_changes_the_network),
    "adds a field": _edited(_adds_a_field),
}
