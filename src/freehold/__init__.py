"""Freehold: a marketplace where data owners, cloud owners and model owners train AI models together and each keeps what is theirs."""

__version__ = "0.1.0"
