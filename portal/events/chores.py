"""What the worker does for the logs between its jobs."""

import time
from collections.abc import Callable

from sqlalchemy.orm import Session, sessionmaker

from portal.config import Settings
from portal.events import checkpoints, retention
from portal.web.logs import log

ARCHIVE_EVERY_SECONDS = 24 * 3600.0
Chore = Callable[[sessionmaker[Session]], None]


def chores(settings: Settings) -> tuple[Chore, ...]:
    """Signing what has moved, and archiving what nobody keeps longer."""
    archived_at: float | None = None

    def sign(sessions: sessionmaker[Session]) -> None:
        signed = checkpoints.sign_all(sessions, settings.secret_keys)
        if signed:
            log.info("checkpoints signed", logs=signed)

    def archive(sessions: sessionmaker[Session]) -> None:
        nonlocal archived_at
        if archived_at is not None and time.monotonic() - archived_at < ARCHIVE_EVERY_SECONDS:
            return
        archived_at = time.monotonic()
        folder = settings.instance / "archive"
        rows = retention.archive_all(sessions, settings.secret_keys, folder)
        if rows:
            log.info("events archived", rows=rows)

    return (sign, archive)
