"""Planted bugs: plausible mistakes, each a small patch of the product, and the tests that catch them.

A suite that is green says little until somebody knows what would turn it red. Every file of `bugs/` is one mistake that
a careful programmer could make: a `<` for a `<=`, a fee that is paid twice, a digest that nobody compares. It begins
with the mistake as a sentence and the tests that catch it (`Caught-by:`), and goes on as a unified diff.

    patches    reads the patches and applies them
    trial      plants one bug in a copy of the product and runs the tests that should catch it
    witness    sits in that run and tells which tests failed, and whose code it was that they tested
    report     prints what became of each

`make planted` tries all of them, each alone, and ends with how many were caught.
"""
