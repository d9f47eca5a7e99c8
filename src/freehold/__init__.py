"""Freehold: a market where data owners, cloud owners and model owners train AI models, and each keeps what is theirs."""

__version__ = "0.1.0"
