"""Every function of the ledger: its name (the paper's), who may call it, and the rule that decides.

To find a rule, look for its name here; to change what a function does, change that one rule.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from freehold.contract import (
    agreement,
    ballots,
    distribution,
    membership,
    money,
    operators,
    replicas,
    rounds,
    rulings,
)
from freehold.contract.call import Call
from freehold.contract.callers import Caller, member, newcomer, operator, recovery_key, referee, treasury
from freehold.contract.effects import Effects
from freehold.contract.view import View


class Rule(NamedTuple):
    """Who may call a function, and what decides about it."""

    caller: Caller
    decide: Callable[[Call[Any], View], Effects]


RULES: Final[Mapping[str, Rule]] = {
    "CreateDO": Rule(newcomer("do"), membership.create_data_owner),
    "CreateCO": Rule(newcomer("co"), membership.create_cloud_owner),
    "CreateMO": Rule(newcomer("mo"), membership.create_model_owner),
    "RotateKey": Rule(recovery_key, membership.rotate_key),
    "CreateDS": Rule(member("do"), distribution.create_dataset),
    "CreateDSS": Rule(member("do"), distribution.create_subset),
    "CreateCI": Rule(member("do"), replicas.create_instance),
    "JoinCI": Rule(member("co"), replicas.join_instance),
    "VerifyCI": Rule(member("do"), replicas.verify_instance),
    "RetireCI": Rule(member("co", "do"), replicas.retire_instance),
    "PublishDS": Rule(member("do"), distribution.publish_dataset),
    "WithdrawDS": Rule(member("do"), distribution.withdraw_dataset),
    "CreateMod": Rule(member("mo"), agreement.create_model),
    "RequestTC": Rule(member("mo"), agreement.request_training),
    "ApproveTC": Rule(member("do"), agreement.approve_training),
    "StartRound": Rule(member("mo"), rounds.start_round),
    "UpdateTJ": Rule(member("co"), ballots.update_job),
    "CloseRound": Rule(member("do", "co", "mo"), ballots.close_round),
    "EndTC": Rule(member("do", "co", "mo"), rounds.end_training),
    "ReportFraud": Rule(referee, rulings.report_fraud),
    "Deposit": Rule(treasury, money.deposit),
    "Collect": Rule(member("do", "co", "mo"), money.collect),
    "Withdraw": Rule(member("do", "co", "mo"), money.withdraw),
    "ProposeOperator": Rule(operator, operators.propose_operator),
    "ApproveOperator": Rule(operator, operators.approve_operator),
}
