"""Holes: what somebody needs from outside, as Protocols of at most six methods."""
