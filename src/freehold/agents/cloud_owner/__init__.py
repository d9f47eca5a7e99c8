"""A cloud owner: holds subsets that others own, trains models that it cannot read, and is paid per accepted job."""

from freehold.agents.cloud_owner.agent import CloudOwner
from freehold.agents.cloud_owner.plan import Rules

__all__ = ["CloudOwner", "Rules"]
