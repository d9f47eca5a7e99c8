"""Freehold: a market where data, cloud and model owners train AI models together and each keeps what is theirs."""

__version__ = "0.1.0"
