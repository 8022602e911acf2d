"""The rows behind `portal.web.notices`."""

import uuid
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.extensions import db
from portal.models import Notice, utc_now
from portal.web.notices import Shown


def _of(account_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(Notice.account_id == account_id)


class NoticeStore:
    """Notices in the database: written with the change they tell of."""

    def add(self, account_id: Any, key: str, kind: str, text: str) -> None:
        """Add a row to the current transaction."""
        dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
        row = dialect.insert(Notice).values(
            account_id=account_id, key=key, kind=kind, text=text, created_at=utc_now()
        )
        # Six digits may come twice; the newer sentence is the one that is shown next.
        db.session.execute(
            row.on_conflict_do_update(
                index_elements=[Notice.account_id, Notice.key],
                set_={name: row.excluded[name] for name in ("kind", "text", "created_at")},
            )
        )

    def find(self, account_id: Any, key: str) -> Shown | None:
        """The notice, if it is this person's."""
        found = _of(account_id, Notice.kind, Notice.text).where(Notice.key == key)
        row = db.session.execute(found).one_or_none()
        return Shown(row.kind, row.text) if row else None
