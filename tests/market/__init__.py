"""A small market for tests: people with real keys, who sign real actions and send them to a real ledger.

    market = Market()
    training = market.trains(subsets=4, replicas=3)
    ballot = training.starts_round().ballot(subset=0)
    worker, copier, honest = ballot.replicas
    worker.commits(b"gradient")
    copier.commits_bytes_of(worker)

Nothing here knows a rule: whatever a person does is said to the ledger, and whatever a test asserts is read from it.
"""

from tests.market.datasets import Dataset, Holding
from tests.market.market import GRACE, SKEW, TERMS, Market, refused
from tests.market.people import Member, Signer, bytes_of, public_key
from tests.market.trainings import Ballot, Replica, Round, Training, digest_of

__all__ = [
    "GRACE",
    "SKEW",
    "TERMS",
    "Ballot",
    "Dataset",
    "Holding",
    "Market",
    "Member",
    "Replica",
    "Round",
    "Signer",
    "Training",
    "bytes_of",
    "digest_of",
    "public_key",
    "refused",
]
