"""The vectors of PROTOCOL-ANNEX, said to the ledger: the same bytes, the same ids."""

import json

import pytest

from freehold.contract.host import Contract
from freehold.ledger.state import State
from freehold.protocol import envelope, signatures
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import Handle, MemberId, Nonce, PublicKey, StoreName
from freehold.protocol.network import NetworkRecord

TIME = 1_000_000
DEPOSIT = bytes.fromhex(
    "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"
    "d51bf11ab5f951c2422238dadd760445e26fe0ef54ea086ec37660a41f7d15f8"
    "7f41868bd3d376895a399ee22676b4405f06fe875bec7995780d4a7cbc070801"
) + (
    b'{"arguments":{"amount":7,"nonce":"5050505050505050505050505050505050505050505050505050505050505050",'
    b'"payee":"b3f880acfe00798d3d34e1a5f832252e2b2d787527ca174a55cd60da93f6c9f8"},"function":"Deposit",'
    b'"member":"8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",'
    b'"network":"c0a575cfd6f47652e0fadd0ce1c13df2a2f847185389de6a2c96ce4e7de3e8d2","time":1000000}'
)


def key(number: int) -> PublicKey:
    """The signing key whose seed is this byte, 32 times."""
    return PublicKey(signatures.public_key(bytes([number]) * 32).hex())


@pytest.fixture
def contract() -> Contract:
    """The network of the annex."""
    return Contract(
        NetworkRecord(
            grace=60_000,
            nonce=Nonce("01" * 32),
            referees=(key(0x04),),
            registrar=key(0x03),
            skew=30_000,
            stores=(StoreName("main"),),
            treasury=key(0x02),
        )
    )


def test_the_annexes_data_owner_joins_and_gets_the_annexes_deposit(contract: Contract) -> None:
    owner = MemberId("b3f880acfe00798d3d34e1a5f832252e2b2d787527ca174a55cd60da93f6c9f8")
    handle, until = Handle("40" * 32), 2**40
    admission = signatures.sign_admission(bytes([3]) * 32, contract.network_id, owner, handle, until)
    keys = {"signing_key": key(0x10), "sealing_key": "11" * 32, "recovery_key": key(0x12)}
    join = envelope.sign_action(
        bytes([0x10]) * 32,
        network=contract.network_id,
        function="CreateDO",
        member=owner,
        time=TIME,
        arguments={**keys, "admission": {"handle": handle, "until": until, "signature": admission}},
    )
    assert sha256(join).hex() == "53a8a307007a0313e2b4d122d55e21c2f89bbc97dcb375e470589d3ee4e2190d"
    state = State(contract.genesis())
    state.apply(contract.execute(state.read, join, TIME).writes)

    executed = contract.execute(state.read, DEPOSIT, TIME)

    payout = "e9ff48e3890e41fb892e9df96f81bf5e0001d33263f0228aa76e2ecaa3c1427e"
    assert executed.result == f'{{"id":"{payout}"}}'.encode()
    assert json.loads(executed.writes[f"payout/{payout}"]) == {
        "amount": 7,
        "cause": "fd41836850833d25fa80539c6e5213a6428967bea88c15185fabc4125cb3e64d",
        "from": TIME,
        "payee": owner,
        "state": "due",
    }
    assert executed.writes[f"deposits/{contract.network_id}"] == b'{"amount":7}'
    assert [tuple(event) for event in executed.events] == [("payout-due", payout, owner)]
