"""How much a network of several operators carries: counted, measured, computed, and simulated.

protocol    how many actions a market, a dataset, a training takes
measuring   what an action costs each process, in bytes on the wire and on disk, on networks of this machine
distance    one action at a time between operators who are far from each other
costs       what an action costs, as these measurements say together
consortium  what bench/consortium.py measured, which comes first where it is there
bounds      what each resource allows by itself, and which bends first
machines    cores, threads and links that others wait for (of the simulation)
consensus   validators that decide blocks over such links (the simulation)
holding     the simulation beside what was measured
keeping     what a year of history takes on disk, and what stays in memory
"""
