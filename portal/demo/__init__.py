"""Demo data: a provider, its clients and their people, invented from a seed.

The same numbers make the same names, states and counts; ids follow the clock of the day and keys
are random, as keys must be.
"""
