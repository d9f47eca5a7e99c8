"""The cheating benchmark: attacks on a market, each played many times, and what came of them in numbers.

`attacks` says what each attack is: who, step by step, what counts as detection, what stops it. `plays` plays them on a
`market` in one process with a clock that jumps, among `people` who run honest agents or those of `cheats`; `forgery` is
what attackers make by hand, `facts` what a market shows. `measuring` compares each market with the same one without
the attack, `text` and `drawing` show the result, and `running` is the whole of it as a command runs it.
"""
