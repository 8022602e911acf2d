"""Policies of an organization: what it asks of its members, and where that is kept."""
