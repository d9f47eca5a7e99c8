"""A market that can be replayed: `python -m tests.simulation SEED`, and `make simulate SEEDS=1000` runs many.

The rules are the real ones, on the memory engine; so are the agents, their plans and acts, what they sign, seal, decide
and send. Around them everything is simulated: time, network, store, disk, and the people (`people`, `liars`). One
`random.Random` makes every choice, in one loop (`town`), so a seed always gives the same history, byte for byte.

    scenario    what a seed decides beforehand: who comes, who lies, what goes wrong how often
    town        the loop: who is due takes a turn; late actions arrive; readers are woken
    ports       the way to the ledger, the store and the disk of one member, each of which can fail
    people      the honest members · liars and referee: the others
    stand_in    plain integers for the cipher, and seals without chance
    witness     S- predicates, after every accepted action · endings: S-1, S-3, S-18 and the V- predicates
    running     runs a scenario, and shrinks one that fails

A process may die before and after everything that it sends or writes. An action may be lost on its way there or back,
arrive late and behind others, or twice; its sender never knows which. Clocks differ by less than `skew`, those of some
by more, until it becomes quiet; then only liars and slow members go on as they are, and the V- predicates must hold.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.running import run, story
from tests.simulation.scenario import drawn


def main() -> int:
    """Runs one seed and prints its history, or many and prints what failed; 1 if anything did."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Markets that can be replayed.")
    parser.add_argument("seed", type=int, help="the seed to run, or the first of --count")
    parser.add_argument("--count", type=int, default=1, help="how many seeds to run, from SEED on")
    asked = parser.parse_args()
    began, failed, trained = time.process_time(), 0, 0
    for seed in range(asked.seed, asked.seed + asked.count):
        town = run(drawn(seed))
        trained += sum(couple.turn > 0 for couple in town.witness.whole.couples.values())
        if town.witness.accusations:
            failed += 1
            print(story(seed), flush=True)
        elif asked.count == 1:
            print(*town.history, f"seed {seed}: every predicate holds; history {town.digest}", sep="\n")
    spent = time.process_time() - began
    print(
        f"{asked.count} markets, {failed} of them broke something; {trained} trainings got answers;"
        f" {60 * asked.count / spent:.0f} markets a minute of one core"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
