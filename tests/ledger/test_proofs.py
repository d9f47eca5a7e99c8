"""G-4: the log, its proofs and its checkpoints, against RFC 6962's definition and against whoever forges them."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import Invalid
from freehold.ledger.proofs import paths
from freehold.ledger.proofs.checkpoint import open_checkpoint, sign_checkpoint, verifier_key
from freehold.ledger.proofs.log import Log, entry, leaf_hash
from freehold.protocol import signatures

SIZES = st.integers(1, 70)
NETWORK = "5a" * 32
SEED = b"\x09" * 32
OPERATOR = signatures.public_key(SEED)


def leaves(count: int) -> list[bytes]:
    return [f"leaf {i}".encode() for i in range(count)]


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(leaf) for leaf in leaves(count)]


# Certificate Transparency's published test vectors: eight leaves and the root after each.
CT_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_the_roots_are_those_of_certificate_transparency() -> None:
    log = Log()
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        log = log.extended([bytes.fromhex(leaf)])
        assert log.root().hex() == root


def test_an_empty_log_has_the_root_of_the_rfc() -> None:
    assert Log().root() == hashlib.sha256(b"").digest()


@given(SIZES, SIZES)
def test_the_quick_log_equals_the_definition_however_it_grew(first: int, more: int) -> None:
    log = Log().extended(leaves(first + more)[:first])
    before = log.root()
    grown = log.extended(leaves(first + more)[first:])

    assert grown.root() == paths.root(hashes(first + more))
    assert log.root() == before, "growing a log must leave the smaller one as it was"


@given(st.data(), SIZES)
def test_every_leaf_is_proved_at_its_place_and_nowhere_else(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size))
    path, root = paths.inclusion(hashes(size), index), paths.root(hashes(size))

    assert paths.includes(path, hashes(size)[index], index, size, root)
    assert paths.includes(path, hashes(size)[index], other, size, root) == (other == index)
    assert not paths.includes(path, leaf_hash(b"another"), index, size, root)
    assert not paths.includes([*path, bytes(32)], hashes(size)[index], index, size, root)
    assert not path or not paths.includes(path[:-1], hashes(size)[index], index, size, root)


@given(st.data(), SIZES)
def test_a_log_that_only_grew_proves_it_and_a_rewritten_one_cannot(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    proof = paths.consistency(hashes(new), old)
    old_root, new_root = paths.root(hashes(old)), paths.root(hashes(new))
    rewritten = paths.root([leaf_hash(b"rewritten"), *hashes(old)[1:]])

    assert paths.grew(proof, old, old_root, new, new_root)
    assert not paths.grew(proof, old, rewritten, new, new_root)
    assert not paths.grew(proof, old, old_root, new, leaf_hash(b"other"))
    assert not paths.grew([*proof, bytes(32)], old, old_root, new, new_root)


def test_bytes_cannot_move_between_an_action_and_its_result() -> None:
    assert entry(b"ab", b"c") != entry(b"a", b"bc")


def test_a_leaf_tells_which_result_an_action_had() -> None:
    assert entry(b"action", b"result") != entry(b"action", b"another")
    assert entry(b"action", b"result") == b"\x00\x00\x00\x06actionresult"


def test_a_checkpoint_opens_for_the_operator_that_signed_it() -> None:
    log = Log().extended(leaves(5))

    note = sign_checkpoint(log, network_id=NETWORK, operator_seed=SEED)
    opened = open_checkpoint(note, network_id=NETWORK, operator=OPERATOR)

    assert (opened.size, opened.root) == (5, log.root())


def test_a_checkpoint_is_a_signed_note_of_c2sp_byte_for_byte() -> None:
    log = Log().extended(leaves(3))
    text = f"freehold/{NETWORK}\n3\n{base64.b64encode(log.root()).decode()}\n"
    key_id = hashlib.sha256(f"freehold/{NETWORK}\n".encode() + b"\x01" + OPERATOR).digest()[:4]
    signature = base64.b64encode(key_id + signatures.sign(SEED, text.encode())).decode()

    note = sign_checkpoint(log, network_id=NETWORK, operator_seed=SEED)

    assert note == f"{text}\n— freehold/{NETWORK} {signature}\n"
    name, shown, key = verifier_key(NETWORK, OPERATOR).split("+", 2)
    assert (name, shown) == (f"freehold/{NETWORK}", key_id.hex())
    assert base64.b64decode(key) == b"\x01" + OPERATOR


def test_no_altered_character_of_a_checkpoint_goes_unnoticed() -> None:
    note = sign_checkpoint(Log().extended(leaves(5)), network_id=NETWORK, operator_seed=SEED)
    for place in range(len(note)):
        for other in ("0", "A", "\n", " ", ""):
            altered = note[:place] + other + note[place + 1 :]
            if altered != note:
                with pytest.raises(Invalid):
                    open_checkpoint(altered, network_id=NETWORK, operator=OPERATOR)


@pytest.mark.parametrize("junk", ["", "\n\n", "a\nb\nc\n\n— d e\n", "x" * 5_000, "٣\n٣\n٣\n\n", "1\n" * 400])
def test_junk_is_no_checkpoint(junk: str) -> None:
    with pytest.raises(Invalid):
        open_checkpoint(junk, network_id=NETWORK, operator=OPERATOR)


def test_a_checkpoint_of_another_operator_or_network_is_refused() -> None:
    note = sign_checkpoint(Log(), network_id=NETWORK, operator_seed=SEED)

    with pytest.raises(Invalid, match="another operator"):
        open_checkpoint(note, network_id=NETWORK, operator=signatures.public_key(b"\x0a" * 32))
    with pytest.raises(Invalid, match="another network"):
        open_checkpoint(note, network_id="5b" * 32, operator=OPERATOR)
