"""A model owner: encrypts its model, pays for the training, and is the only one who can read the result."""

from freehold.agents.model_owner.agent import ModelOwner, Progress
from freehold.agents.model_owner.decisions import Order
from freehold.agents.model_owner.quoting import Quote, Wish

__all__ = ["ModelOwner", "Order", "Progress", "Quote", "Wish"]
