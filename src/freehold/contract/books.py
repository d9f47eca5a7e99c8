"""The books of the whole market: every place where money can be, summed up from the state (S-14)."""

from dataclasses import asdict, dataclass

from freehold.contract import records
from freehold.ports.state_view import StateView
from freehold.protocol.assets import Account, Ballot, CloudInstance, Deposits, Payout, TrainCouple, Withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Sums in micro-credits."""

    deposited: int
    withdrawn: int
    accounts: int
    balances: int
    """Escrow of trainings that is not locked in a running round."""
    fees: int
    """Locked for the data owners of running rounds."""
    left: int
    """Locked in ballots for replicas."""
    stakes: int
    due: int
    burned: int

    @property
    def held(self) -> int:
        """All money that is somewhere in the market."""
        places = (self.accounts, self.balances, self.fees, self.left, self.stakes, self.due, self.burned)
        return sum(places)

    @property
    def conserved(self) -> bool:
        """Whether what came in and did not leave is what is there."""
        return self.held == self.deposited - self.withdrawn

    def as_dict(self) -> dict[str, int]:
        """The sums by name."""
        return asdict(self)


def books_of(view: StateView) -> Books:
    """The books of a state, by reading all of it."""
    couples = [couple for _, couple in records.every(view, TrainCouple)]
    payouts = [payout for _, payout in records.every(view, Payout)]
    return Books(
        deposited=sum(deposits.amount for _, deposits in records.every(view, Deposits)),
        withdrawn=sum(withdrawal.amount for _, withdrawal in records.every(view, Withdrawal)),
        accounts=sum(account.free for _, account in records.every(view, Account)),
        balances=sum(couple.balance for couple in couples),
        fees=sum(part.fee for couple in couples for part in couple.parts),
        left=sum(ballot.left for _, ballot in records.every(view, Ballot)),
        stakes=sum(instance.stake for _, instance in records.every(view, CloudInstance)),
        due=sum(payout.amount for payout in payouts if payout.state == "due"),
        burned=sum(payout.amount for payout in payouts if payout.state == "burned"),
    )
