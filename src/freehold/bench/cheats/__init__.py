"""Agents of Freehold that are made to cheat; what each attack is, and what shows it, stands in `attacks`."""
