"""Everybody who attacks, a folder for each; every attack is shown three times.

    WITHOUT the defence the attack succeeds    so the defence is what stops it, and the test can fail
    AGAINST it the attack fails                as shipped, with nothing changed
    UNHARMED is everybody honest               not blamed, not unpaid beyond one job's fee, not stuck

`attack.py` is how a module says which of its tests shows what; `docs/threats.md` has a row for each attack, which
`test_threats.py` compares with what is found here. What cannot be stopped is shown succeeding, and says why.
"""
