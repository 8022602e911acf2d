"""The event log: what happened, to whom, by whom, in the transaction in which it happened."""

from portal.events.record import Stream, record, together

__all__ = ["Stream", "record", "together"]
