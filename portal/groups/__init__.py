"""Groups of an organization: people who are given the same collections."""
