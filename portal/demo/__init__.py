"""Demo data: a provider, its clients and their people, invented from a seed.

The same numbers make the same names, states and counts, and on the same day the same ids and times:
all that happened ends with the day before. Keys are random, as keys must be.
"""
