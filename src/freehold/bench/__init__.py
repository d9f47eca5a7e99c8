"""The cheating benchmark: attacks on a market, each played many times, and what came of them in numbers.

attacks    what each attack is: who, step by step, what counts as detection, what stops it
market     a whole market in one process, with a clock that jumps
people     who takes part, each with an honest agent
cheats     agents that cheat
measuring  plays the attacks, and compares each market with the same one without the attack
drawing    the picture of the result
"""
