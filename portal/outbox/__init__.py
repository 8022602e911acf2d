"""What must happen after the commit. Rows are written with their cause, drained by the worker."""

from portal.outbox.queue import enqueue

__all__ = ["enqueue"]
