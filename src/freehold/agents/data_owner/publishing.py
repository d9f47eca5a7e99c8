"""The acts of a publication: packages made and sealed, offers drawn, receipts compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from freehold.agents.data_owner.decisions import Offered, Publication
from freehold.agents.journal import Journal
from freehold.agents.reading import Candidate, Seen
from freehold.agents.world import Signer, World
from freehold.errors import Broken, Invalid, Unavailable
from freehold.learning.prepared import Prepared
from freehold.protocol import commitments, limits
from freehold.protocol.actions import CreateCI, CreateDS, CreateDSS, VerifyCI
from freehold.protocol.assets import CloudInstance, Terms
from freehold.protocol.digests import sha256
from freehold.protocol.identifiers import (
    Digest,
    InstanceId,
    Nonce,
    PublicKey,
    Verdict,
    dataset_id,
    instance_id,
    subset_id,
)
from freehold.protocol.packages import SECRET_BYTES, mask_public, pack
from freehold.protocol.sealing import seal_locator, seal_package

_NONCE_BYTES: Final = 32


def decide_publication(
    world: World, journal: Journal, signer: Signer, prepared: Prepared, terms: Terms, replicas: int
) -> Publication:
    """Packs the subsets, keeps the packages, and decides their publication; the same table again changes nothing.

    Raises Invalid if the table is published already on other terms: they are final.
    """
    card, subsets = sha256(prepared.card_bytes), prepared.card.split.subsets
    # the card names the certificate, and that every subset's rows: it stands for the whole table as it was split
    subject = card.hex()

    def decide() -> Publication:
        nonce = Nonce(world.random(_NONCE_BYTES).hex())
        dataset = dataset_id(signer.network, signer.member, nonce)
        world.kept.put(card.hex(), prepared.card_bytes)
        packages, keys = [], []
        for index in range(subsets):
            secret = world.random(SECRET_BYTES)
            package = pack(signer.network, dataset, index, secret, prepared.rows(index))
            packages.append(Digest(sha256(package).hex()))
            keys.append(PublicKey(mask_public(secret, dataset, index).hex()))
            world.kept.put(packages[-1], package)
        return Publication(
            dataset=dataset,
            nonce=nonce,
            replicas=replicas,
            terms=terms,
            card=Digest(card.hex()),
            packages=tuple(packages),
            mask_keys=tuple(keys),
        )

    decided = journal.decide(Publication, subject, decide)
    if (decided.terms, decided.replicas) != (terms, replicas):
        raise Invalid(
            f"This table is already published as dataset {decided.dataset[:8]}, on other terms.",
            why="terms are final, and the same rows twice would count as one dataset for what they disclose",
            next="publish with the same terms to go on",
            now="nothing was sent",
        )
    return decided


class Publishing:
    """What a data owner does for its publications, one act a time."""

    def __init__(self, world: World, journal: Journal, signer: Signer) -> None:
        self._world = world
        self._journal = journal
        self._signer = signer

    def upload_card(self, publication: Publication) -> None:
        """Puts the card where its terms say, and remembers that it is there."""
        card = self._world.kept.get(publication.card, largest=limits.PACKAGE_LARGEST)
        self._world.store(publication.terms.store).put(publication.card, card)
        self._journal.note("uploaded", publication.card, publication.terms.store)

    def draft(self, publication: Publication) -> None:
        """CreateDS."""
        self._signer.send(
            self._world,
            CreateDS(
                nonce=publication.nonce,
                m=len(publication.packages),
                n=publication.replicas,
                terms=publication.terms,
                card_digest=publication.card,
            ),
        )

    def add_subset(self, publication: Publication, index: int) -> None:
        """CreateDSS."""
        self._signer.send(
            self._world,
            CreateDSS(
                dataset=publication.dataset,
                index=index,
                digest=publication.packages[index],
                mask_key=publication.mask_keys[index],
            ),
        )

    def offer(self, publication: Publication, index: int, candidates: Iterable[Candidate]) -> None:
        """Draws a candidate, seals the package to it, uploads it, decides the offer, and sends it.

        The sealed bytes come before the decision, because sealing is random: killed in between, an object stays in the
        store that nobody can open, and another candidate is drawn. Offers to people who hold another subset of the
        same dataset are never made.
        """
        made = self._journal.all_decided(Offered).values()
        busy = {offer.co for offer in made}
        people = {offer.handle for offer in made if offer.dataset == publication.dataset}
        now = self._world.clock()
        free = [each for each in candidates if each.until >= now and each.id not in busy and each.handle not in people]
        if not free:
            raise Unavailable(
                f"No cloud owner is free for subset {index + 1} of dataset {publication.dataset[:8]}.",
                next="nothing to do: the offer is made as soon as somebody opens a slot",
                retry_after=0.25,
            )
        chosen = free[self._below(len(free))]
        nonce = Nonce(self._world.random(_NONCE_BYTES).hex())
        subset = subset_id(publication.dataset, index)
        instance = instance_id(subset, chosen.id, nonce)
        sealed = seal_package(chosen.sealing_key, instance, self.package(publication.packages[index]))
        name = Digest(sha256(sealed).hex())
        self._world.store(publication.terms.store).put(name, sealed)

        def decide() -> Offered:
            return Offered(
                dataset=publication.dataset,
                subset=subset,
                co=chosen.id,
                handle=chosen.handle,
                nonce=nonce,
                object=name,
                locator=seal_locator(chosen.sealing_key, instance, publication.terms.store, name),
                at=self._world.clock(),
            )

        self.send_offer(self._journal.decide(Offered, instance, decide))

    def send_offer(self, offer: Offered) -> None:
        """CreateCI."""
        self._signer.send(
            self._world,
            CreateCI(subset=offer.subset, co=offer.co, nonce=offer.nonce, object=offer.object, locator=offer.locator),
        )

    def verify(self, publication: Publication, index: int, instance: Seen[CloudInstance]) -> None:
        """VerifyCI: verified if the receipt is the one that only a holder of this package could make."""
        joined = instance.record
        if joined.nonce is None or joined.receipt is None:
            raise Broken(f"Instance {instance.id[:8]} joined without a receipt.")
        package = self.package(publication.packages[index])
        right = commitments.receipt(InstanceId(instance.id), joined.co, joined.nonce, package) == joined.receipt
        self._signer.send(
            self._world,
            VerifyCI(instance=InstanceId(instance.id), verdict=Verdict("verified" if right else "rejected")),
        )

    def package(self, digest: Digest) -> bytes:
        """One of the packages that this data owner made."""
        return self._world.kept.get(digest, largest=limits.PACKAGE_LARGEST)

    def _below(self, bound: int) -> int:
        """A number below `bound`, every one as likely: what does not divide evenly is drawn again."""
        fair = 2**64 - 2**64 % bound
        while True:
            drawn = int.from_bytes(self._world.random(8), "big")
            if drawn < fair:
                return drawn % bound
