"""Files that are made while they are sent."""

from collections.abc import Iterable, Iterator

from flask import stream_with_context

from portal.database import reading
from portal.extensions import db


def streamed(parts: Iterable[str]) -> Iterator[str]:
    """`parts` with the request at hand; what they read holds up no writer, and is given back.

    The server may ask for each part in another thread, which does not know that the request only
    reads: on SQLite the rest of a file would hold the lock of a writer.
    """

    def steps() -> Iterator[str]:
        left = iter(parts)
        try:
            while True:
                with reading():
                    part = next(left, None)
                if part is None:
                    return
                yield part
        finally:
            db.session.remove()

    return stream_with_context(steps())
