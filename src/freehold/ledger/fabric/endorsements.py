"""Who endorsed a transaction, found out here: a peer's word that it is valid adds nothing to the ledger.

An endorsement is a signature, by a certificate that stands beside it, over what the chaincode came to: the response,
what was read at which version and what was written, and the digest of the proposal that led to it (`transactions` has
compared that one). A certificate counts if an authority of one of the channel's organisations issued it, and to a peer.
As on the channel, more than half of the organisations have to have endorsed: of two, both.

The authorities are those that whoever opens the ledger names. So an organisation that joins, or changes its authority,
has to be made known to every node first. Lists of revoked certificates are not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_pem_x509_certificates

from freehold.errors import Invalid
from freehold.ledger.fabric.authorities import Authorities, fits
from freehold.ledger.fabric.transactions import Endorsement
from freehold.protocol.identifiers import AuthorityRole, Digest, MspName
from freehold.protocol.network import Authority

_PEER: Final = "peer"


class Endorsers:
    """Those whose word counts; used by one thread."""

    def __init__(self, authorities: Mapping[str, bytes]) -> None:
        """By the name of each organisation on the channel its authorities' certificates, in PEM."""
        if not authorities:
            raise Invalid("the ledger is not told whose endorsements count", next="name the organisations' authorities")
        try:
            named = {name: load_pem_x509_certificates(pem) for name, pem in authorities.items()}
        except ValueError as error:
            raise Invalid(f"the certificate of an organisation's authority cannot be read: {error}") from None
        self._authorities = Authorities(
            [_authority(name, each) for name, listed in named.items() for each in listed],
            [each.public_bytes(Encoding.PEM) for listed in named.values() for each in listed],
        )

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


def _authority(name: str, certificate: Certificate) -> Authority:
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    return Authority(msp=MspName(name), role=AuthorityRole(_PEER), root=Digest(digest))
