"""Rate limits in the database: one counter for all workers, one statement a hit."""

import datetime as dt
import time
from typing import Any

from flask import Flask
from limits.storage import Storage
from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from portal.database import short_transaction
from portal.extensions import db, limiter
from portal.models import RateLimit, utc_now
from portal.models.writing import rows_changed

SCHEME = "portaldb"


class DatabaseStorage(Storage):
    """Fixed windows in the table `rate_limit`. Each call is a short transaction of its own."""

    STORAGE_SCHEME = [SCHEME]

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What the limits library may catch; we let it pass to the error handlers."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: float, amount: int = 1, **options: Any) -> int:
        """Count a hit in the window of `key`, which ends `expiry` seconds after its first hit."""
        now = utc_now()
        end = now + dt.timedelta(seconds=expiry)
        over = RateLimit.expires_at <= now
        dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
        hit = dialect.insert(RateLimit).values(key=key[:200], hits=amount, expires_at=end)
        counted = hit.on_conflict_do_update(
            index_elements=[RateLimit.key],
            set_={
                "hits": case((over, amount), else_=RateLimit.hits + amount),
                "expires_at": case((over, end), else_=RateLimit.expires_at),
            },
        ).returning(RateLimit.hits)
        with short_transaction() as session:
            return int(session.execute(counted).scalar_one())

    def get(self, key: str) -> int:
        """Hits so far in the live window."""
        live = select(RateLimit.hits).where(
            RateLimit.key == key[:200], RateLimit.expires_at > utc_now()
        )
        with short_transaction() as session:
            return int(session.scalar(live) or 0)

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970."""
        with short_transaction() as session:
            end = session.scalar(select(RateLimit.expires_at).where(RateLimit.key == key[:200]))
        return end.timestamp() if end else time.time()

    def check(self) -> bool:
        """The database's own health is `/readyz`'s question."""
        return True

    def reset(self) -> int | None:
        """Forget every window."""
        with short_transaction() as session:
            return rows_changed(session, delete(RateLimit))

    def clear(self, key: str) -> None:
        """Forget one window."""
        with short_transaction() as session:
            session.execute(delete(RateLimit).where(RateLimit.key == key[:200]))


def init_limits(app: Flask) -> None:
    """Bind Flask-Limiter to the table."""
    app.config.update(
        RATELIMIT_STORAGE_URI=f"{SCHEME}://",
        RATELIMIT_STRATEGY="fixed-window",
        RATELIMIT_HEADERS_ENABLED=False,
        RATELIMIT_SWALLOW_ERRORS=False,
    )
    limiter.init_app(app)
