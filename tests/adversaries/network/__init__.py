"""Whoever carries messages: it may lose, repeat, delay, turn around and alter them."""
