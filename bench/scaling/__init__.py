"""How much a network of several operators carries: counted, measured, computed, and simulated.

protocol   how many actions a market, a dataset, a training takes
measuring  what an action costs each process, in bytes on the wire and on disk, on networks of this machine
costs      those costs, with the source of each
bounds     what each resource allows by itself, and which bends first
machines   cores, threads and links that others wait for (of the simulation)
consensus  validators that decide blocks over such links (the simulation)
keeping    what a year of history takes on disk
"""
