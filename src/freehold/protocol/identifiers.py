"""Every id is a digest of what makes the thing unique, so nobody can choose, guess or reuse one.

An asset's id follows from its maker and a nonce (or from its place: subset 3 of this dataset, the ballot of this
subset in round 5). Creating it twice is `exists`, and a signed action sent again changes nothing: ids take the
part that sequence numbers play elsewhere. All ids are 64 lower-case hex characters.
"""

from __future__ import annotations

from typing import NewType

from freehold.protocol.digests import H, raw

NetworkId = NewType("NetworkId", str)
MemberId = NewType("MemberId", str)
DatasetId = NewType("DatasetId", str)
SubsetId = NewType("SubsetId", str)
InstanceId = NewType("InstanceId", str)
ModelId = NewType("ModelId", str)
CoupleId = NewType("CoupleId", str)
BallotId = NewType("BallotId", str)
JobId = NewType("JobId", str)
PayoutId = NewType("PayoutId", str)
FindingId = NewType("FindingId", str)
WithdrawalId = NewType("WithdrawalId", str)
ProposalId = NewType("ProposalId", str)

Handle = NewType("Handle", str)
"""One real person within one scope, as the registrar counts persons; in an open network the member id itself."""
Digest = NewType("Digest", str)
Nonce = NewType("Nonce", str)
"""32 random bytes that make an id or a commitment unguessable."""
Secret = NewType("Secret", str)
"""32 random bytes that were hidden until their owner published them: the opening of a draw, a share of it."""
PublicKey = NewType("PublicKey", str)
"""32 bytes: Ed25519 where it signs, X25519 where it is sealed to or masks."""
Signature = NewType("Signature", str)
"""64 bytes in 128 hex characters."""
Locator = NewType("Locator", str)
"""560 sealed bytes in 1120 hex characters: where an object lies, readable to one member."""
NodeName = NewType("NodeName", str)
"""What a node of a consortium is called by the others: the first 20 bytes of its public key's SHA-256."""
NodeAddress = NewType("NodeAddress", str)
"""Where a node of a consortium is dialled by the others, host:port."""
MspName = NewType("MspName", str)
"""What a channel of Fabric calls an organisation; MSP is membership service provider."""
ChannelName = NewType("ChannelName", str)
ChaincodeName = NewType("ChaincodeName", str)
AuthorityRole = NewType("AuthorityRole", str)
"""What stands under a certificate on a channel of Fabric: peers, orderers, or one orderer among Byzantine ones."""
StoreName = NewType("StoreName", str)
"""An alias of the network record, `[a-z][a-z0-9-]{0,31}`; never an address."""
ModelType = NewType("ModelType", str)
Method = NewType("Method", str)
"""A model type, a hyphen and a version: `linear-1`."""
Verdict = NewType("Verdict", str)
"""What a data owner says about a replica: verified or rejected."""


def member_id(role: str, network: NetworkId, signing: PublicKey, sealing: PublicKey, recovery: PublicKey) -> MemberId:
    """The id of a member of `role` (do, co or mo) from its three first keys; it survives every rotation."""
    return MemberId(H("member/" + role, raw(network), raw(signing), raw(sealing), raw(recovery)).hex())


def dataset_id(network: NetworkId, caller: MemberId, nonce: Nonce) -> DatasetId:
    """The id of the dataset that `caller` drafts with `nonce`."""
    return DatasetId(H("dataset", raw(network), raw(caller), raw(nonce)).hex())


def subset_id(dataset: DatasetId, index: int) -> SubsetId:
    """The id of the subset at `index` (from 0) of `dataset`."""
    return SubsetId(H("subset", raw(dataset), index).hex())


def instance_id(subset: SubsetId, co: MemberId, nonce: Nonce) -> InstanceId:
    """The id of the offer of `subset` to the cloud owner `co`; `nonce` is the data owner's."""
    return InstanceId(H("instance", raw(subset), raw(co), raw(nonce)).hex())


def model_id(network: NetworkId, caller: MemberId, nonce: Nonce) -> ModelId:
    """The id of the model that `caller` registers with `nonce`."""
    return ModelId(H("model", raw(network), raw(caller), raw(nonce)).hex())


def couple_id(network: NetworkId, caller: MemberId, nonce: Nonce) -> CoupleId:
    """The id of the training that `caller` requests with `nonce`."""
    return CoupleId(H("couple", raw(network), raw(caller), raw(nonce)).hex())


def ballot_id(couple: CoupleId, round: int, subset: SubsetId) -> BallotId:
    """The id of the vote over `subset` in round `round` (from 1) of `couple`."""
    return BallotId(H("ballot", raw(couple), round, raw(subset)).hex())


def job_id(ballot: BallotId, instance: InstanceId) -> JobId:
    """The id of the share that `instance` has in `ballot`."""
    return JobId(H("job", raw(ballot), raw(instance)).hex())


def deposit_cause(network: NetworkId, nonce: Nonce) -> Digest:
    """What a deposit's payout names as its cause; the tag keeps a treasury from occupying another payout's id."""
    return Digest(H("deposit", raw(network), raw(nonce)).hex())


def fee_cause(couple: CoupleId, round: int, dataset: DatasetId) -> Digest:
    """What the payout of a complete round's fee names as its cause: one per dataset, also for one owner of two."""
    return Digest(H("fee", raw(couple), round, raw(dataset)).hex())


def payout_id(cause: str, payee: MemberId) -> PayoutId:
    """The id of what `payee` gets for `cause`: a deposit or fee cause, a job, an instance or a couple."""
    return PayoutId(H("payout", raw(cause), raw(payee)).hex())


def finding_id(job: JobId) -> FindingId:
    """The id of a referee's finding about `job`."""
    return FindingId(H("finding", raw(job)).hex())


def withdrawal_id(network: NetworkId, caller: MemberId, nonce: Nonce) -> WithdrawalId:
    """The id of the withdrawal that `caller` makes with `nonce`."""
    return WithdrawalId(H("withdrawal", raw(network), raw(caller), raw(nonce)).hex())


def proposal_id(network: NetworkId, operator: PublicKey, nonce: Nonce) -> ProposalId:
    """The id of what `operator` proposes about a place among the operators, with `nonce`."""
    return ProposalId(H("proposal", raw(network), raw(operator), raw(nonce)).hex())
