"""Implementations of `ports.cipher`, one file per library; their words are equal."""
