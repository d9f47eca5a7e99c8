"""Who endorsed a transaction, found out here: a peer's word that it is valid adds nothing to the ledger.

An endorsement is a signature, by a certificate that stands beside it, over what the chaincode came to: the response,
what was read at which version and what was written, and the digest of the proposal that led to it (`transactions` has
compared that one). A certificate counts if an authority of one of the channel's organisations issued it, and to a peer.
As on the channel, more than half of the organisations have to have endorsed: of two, both.

The authorities are those that the network record names, and where it names none those that whoever opens the ledger
does. So an organisation that joins, or changes its authority, has to be made known first. Lists of revoked certificates
are not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_pem_x509_certificates

from freehold.errors import Invalid
from freehold.ledger.fabric.authorities import Authorities, fits
from freehold.ledger.fabric.envelope import Place
from freehold.ledger.fabric.transactions import Endorsement
from freehold.protocol.identifiers import AuthorityRole, Digest, MspName
from freehold.protocol.network import Authority, NetworkRecord

_PEER: Final = "peer"


class Endorsers:
    """Those whose word counts; used by one thread."""

    def __init__(self, certificates: Mapping[str, bytes], named: Sequence[Authority] | None = None) -> None:
        """By the name of each organisation on the channel its authorities' certificates, in PEM. If some are `named`
        they alone count, and have to be among the certificates."""
        try:
            read = [(name, each) for name, pem in certificates.items() for each in load_pem_x509_certificates(pem)]
        except ValueError as error:
            raise Invalid(f"the certificate of an organisation's authority cannot be read: {error}") from None
        present = [_authority(*each) for each in read]
        counting = present if named is None else named
        missing = sorted({each.msp for each in counting if each not in present})
        if missing or not counting:
            raise Invalid(
                f"the ledger is not given the certificates of those whose endorsements count: {', '.join(missing)}",
                next="name the authority of each organisation on the channel, as the network record does",
            )
        self._authorities = Authorities(counting, [each.public_bytes(Encoding.PEM) for _, each in read])

    def check(self, answer: bytes, endorsements: Sequence[Endorsement]) -> None:
        """Invalid unless more than half of the organisations endorsed this answer. Others may have done so too."""
        named: set[str] = set()
        for each in endorsements:
            name = self._endorsed(answer, each)
            if name is not None:
                named.add(name)
            if len(named) >= self._authorities.majority:
                return
        raise Invalid(
            f"it is endorsed by {', '.join(sorted(named)) or 'nobody who counts'}, where"
            f" {self._authorities.majority} of {', '.join(self._authorities.peers)} have to"
        )

    def _endorsed(self, answer: bytes, endorsement: Endorsement) -> str | None:
        """The organisation whose peer endorsed; None if none did."""
        signer = self._authorities.signer(endorsement.endorser)
        if signer is None or signer.unit != _PEER:
            return None
        return signer.msp if fits(signer, answer + endorsement.endorser, endorsement.signature) else None


def endorsers_of(network: bytes, place: Place, certificates: Mapping[str, bytes]) -> Endorsers:
    """Those of a network on a channel: whoever the network record names, if it does, and then on its channel alone."""
    record = NetworkRecord.parse(network)
    if record.channel is None or record.authorities is None:
        return Endorsers(certificates)
    if (record.channel.name, record.channel.chaincode) != (place.channel, place.chaincode):
        raise Invalid(
            f"the network is on channel {record.channel.name} as {record.channel.chaincode},"
            f" not on {place.channel} as {place.chaincode}",
            next="open the channel and chaincode that the network record names",
        )
    return Endorsers(certificates, [each for each in record.authorities if each.role == _PEER])


def _authority(name: str, certificate: Certificate) -> Authority:
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    return Authority(msp=MspName(name), role=AuthorityRole(_PEER), root=Digest(digest))
