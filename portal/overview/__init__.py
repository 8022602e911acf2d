"""A provider's home: the numbers that matter, what waits, and what happened last."""
