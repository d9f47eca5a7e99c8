"""A data owner: splits a dataset, deals it to cloud owners, approves each training, is paid per complete round."""

from freehold.agents.data_owner.agent import DataOwner
from freehold.agents.data_owner.approving import ApprovalSheet, SheetPart
from freehold.agents.data_owner.decisions import Publication

__all__ = ["ApprovalSheet", "DataOwner", "Publication", "SheetPart"]
