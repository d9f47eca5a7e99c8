"""Tests of the verifier that a reader can run without Freehold: `docs/verify-yourself`."""
