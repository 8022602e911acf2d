"""One history for SQLite and PostgreSQL; the connection comes from `portal.migrate`."""

from alembic import context
from sqlalchemy import Connection

from portal.models import Base


def migrate(connection: Connection) -> None:
    """Run the revisions. SQLite rebuilds tables, which must not empty those that refer to them."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # The pragma is ignored inside a transaction, so it goes to the raw connection first.
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")
    else:
        connection.exec_driver_sql("SET lock_timeout = '5s'")
        # Two instances that start at once migrate one after the other.
        connection.exec_driver_sql("SELECT pg_advisory_lock(7305480)")
        connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=sqlite,
            compare_type=True,
            compare_server_default=True,
        )
        with connection.begin():
            context.run_migrations()
            if sqlite:
                check_references(connection)
    finally:
        if sqlite:
            raw.execute("PRAGMA foreign_keys=ON")
        else:
            connection.exec_driver_sql("SELECT pg_advisory_unlock(7305480)")
            connection.commit()


def check_references(connection: Connection) -> None:
    """Refuse to commit a rebuilt table whose rows point nowhere."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"the migration would leave broken references: {broken[:5]}")


migrate(context.config.attributes["connection"])
