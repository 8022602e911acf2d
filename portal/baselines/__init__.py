"""Baselines of a provider: what its clients shall be set to, and how far each is from it."""
