"""The event log: what happened, to whom, by whom, in the transaction in which it happened."""

from portal.events.erase import erase
from portal.events.record import Stream, record

__all__ = ["Stream", "erase", "record"]
