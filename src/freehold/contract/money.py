"""Money: whole micro-credits that are always somewhere.

Every amount lies in an account, a training's balance or its locked fees, a ballot, a stake, or a payout; what takes it
from one place puts it into another in the same action. A payout belongs to its payee from the moment it is made; the
payee collects it when it likes, so that paying many members touches none of their accounts.
"""

from freehold.contract.call import Call
from freehold.contract.effects import Effects, Put, Step, require
from freehold.contract.view import View
from freehold.protocol import actions, events
from freehold.protocol.assets import Account, Deposits, Member, Payout, Withdrawal, with_changes
from freehold.protocol.events import Event
from freehold.protocol.identifiers import MemberId, deposit_cause, payout_id, withdrawal_id
from freehold.protocol.limits import DEPOSITS_LARGEST


def pay(payee: MemberId, amount: int, cause: str, *, since: int) -> list[Step]:
    """A payout that is due to `payee` from the time `since`; of nothing, nothing is made and nothing is told."""
    if amount == 0:
        return []
    payout = payout_id(cause, payee)
    due = Payout(payee=payee, amount=amount, cause=cause, since=since, state="due")
    return [Put(payout, due), Event(events.PAYOUT_DUE, payout, payee)]


def debit(view: View, member: MemberId, amount: int) -> list[Step]:
    """Takes `amount` from an account; refuses `no-funds`."""
    account = view.get(Account, member)
    require(account.free >= amount, "no-funds")
    return [Put(member, Account(free=account.free - amount))] if amount else []


def deposit(call: Call[actions.Deposit], view: View) -> Effects:
    """Credits a member with what the treasury received for it. Refuses: unknown, exists, limit."""
    asked = call.arguments
    view.get(Member, asked.payee)
    cause = deposit_cause(call.network_id, asked.nonce)
    payout = payout_id(cause, asked.payee)
    require(view.find(Payout, payout) is None, "exists")
    deposits = view.get(Deposits, call.network_id)
    require(deposits.amount + asked.amount <= DEPOSITS_LARGEST, "limit")

    return Effects(
        payout,
        Put(call.network_id, Deposits(amount=deposits.amount + asked.amount)),
        *pay(asked.payee, asked.amount, cause, since=call.time),
    )


def collect(call: Call[actions.Collect], view: View) -> Effects:
    """Takes the caller's own payouts into its account. Refuses: unknown, not-yours, state, too-early."""
    payouts = view.every(Payout, call.arguments.payouts)
    account = view.get(Account, call.member)
    require(all(payout.payee == call.member for payout in payouts.values()), "not-yours")
    require(all(payout.state == "due" for payout in payouts.values()), "state")
    require(all(payout.since <= call.time for payout in payouts.values()), "too-early")

    total = sum(payout.amount for payout in payouts.values())
    return Effects(
        call.member,
        *(Put(due, with_changes(payout, state="collected")) for due, payout in payouts.items()),
        Put(call.member, Account(free=account.free + total)),
    )


def withdraw(call: Call[actions.Withdraw], view: View) -> Effects:
    """Takes money out of the market; where it is paid to stays off the ledger. Refuses: exists, no-funds."""
    asked = call.arguments
    withdrawal = withdrawal_id(call.network_id, call.member, asked.nonce)
    require(view.find(Withdrawal, withdrawal) is None, "exists")

    return Effects(
        withdrawal,
        *debit(view, call.member, asked.amount),
        Put(withdrawal, Withdrawal(member=call.member, amount=asked.amount, time=call.time)),
    )
