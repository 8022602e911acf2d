"""How many statements a request costs."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, event

_OVERHEAD = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET ")


@dataclass(frozen=True)
class Statement:
    sql: str
    parameters: Any

    def __str__(self) -> str:
        return " ".join(self.sql.split())


class Statements(list[Statement]):
    """What the database was asked since the last `clear()`, without transaction control."""

    def __str__(self) -> str:
        return "\n".join(str(statement) for statement in self)

    def most(self, limit: int) -> None:
        """Fail, with the statements in sight, when there are more than `limit`."""
        assert len(self) <= limit, f"{len(self)} statements instead of {limit}:\n{self}"


@pytest.fixture
def statements():
    """Records SQL. Fill the database, `clear()`, make one request, count."""
    seen = Statements()

    def record(connection, cursor, statement, parameters, *_):
        if not statement.lstrip().upper().startswith(_OVERHEAD):
            seen.append(Statement(statement, parameters))

    event.listen(Engine, "before_cursor_execute", record)
    yield seen
    event.remove(Engine, "before_cursor_execute", record)
