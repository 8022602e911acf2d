"""One history of the schema, the same on both databases, and what law 1 asks of each table."""

import os
import re
import uuid

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKeyConstraint,
    UniqueConstraint,
    func,
    inspect,
    select,
    text,
)

from portal.demo.fill import fill
from portal.demo.world import Order
from portal.migrate import FOLDER, configuration, newest_revision, upgrade
from portal.models import Base, utc_now
from portal.models.base import GLOBAL_TABLES, TENANT_COLUMNS, EnumText
from tests.support.databases import engine_for

TABLES = Base.metadata.sorted_tables
NAMED = [table.name for table in TABLES]
TENANT_TABLES = [table for table in TABLES if table.name not in GLOBAL_TABLES]


@pytest.fixture
def empty(databases, kind):
    """An engine over a database without tables."""
    url = databases.empty(kind, f"empty-{uuid.uuid4().hex}")
    with engine_for(url) as engine:
        yield engine


def test_from_empty_to_the_newest_revision_leaves_nothing_to_generate(empty):
    upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == newest_revision()


def test_a_second_upgrade_changes_nothing(empty):
    upgrade(empty)
    before = _schema(empty)
    upgrade(empty)
    assert _schema(empty) == before


def test_every_constraint_of_the_database_has_the_name_it_was_given(empty):
    upgrade(empty)
    wrong = []
    inspected = inspect(empty)
    for table in TABLES:
        for kind in ("check_constraints", "unique_constraints", "foreign_keys"):
            found = {row["name"] for row in getattr(inspected, f"get_{kind}")(table.name)}
            if odd := found ^ _names(table, kind):
                wrong.append(f"{table.name}: {kind} {odd}")
    assert wrong == []


def test_the_history_is_one_line():
    history = ScriptDirectory.from_config(configuration())
    assert len(history.get_heads()) == 1
    assert len(history.get_bases()) == 1


@pytest.mark.parametrize("table", TABLES, ids=NAMED)
def test_a_constraint_has_a_name_that_says_what_it_holds(table):
    for constraint in table.constraints:
        assert constraint.name, f"{table.name} has a constraint without a name: {constraint}"
        assert re.fullmatch(rf"(pk|uq|ck|fk)_{table.name}(_\w+)?", str(constraint.name))
        assert len(str(constraint.name)) <= 63, "PostgreSQL cuts longer names"


@pytest.mark.parametrize("table", TABLES, ids=NAMED)
def test_a_table_is_global_or_belongs_to_a_tenant(table):
    first = next(iter(table.primary_key.columns)).name
    assert (table.name in GLOBAL_TABLES) or first in TENANT_COLUMNS


# A domain belongs to whoever proves it, in the whole portal.
UNIQUE_EVERYWHERE = {"ix_claimed_domains_verified"}


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_a_tenants_table_is_unique_within_the_tenant_only(table):
    tenant = next(iter(table.primary_key.columns)).name
    loose = [
        str(constraint.name)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint) and tenant not in constraint.columns
    ]
    loose += [
        str(index.name) for index in table.indexes if index.unique and tenant not in index.columns
    ]
    assert set(loose) <= UNIQUE_EVERYWHERE


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_no_reference_leaves_its_tenant(table):
    """A foreign key to another tenant table pairs tenant with tenant, so ids alone do not do."""
    tenant_tables = {other.name for other in TENANT_TABLES}
    tenant = next(iter(table.primary_key.columns)).name
    wrong = []
    for constraint in table.constraints:
        if not isinstance(constraint, ForeignKeyConstraint):
            continue
        pairs = {key.parent.name: key.column.name for key in constraint.elements}
        if constraint.referred_table.name in tenant_tables and pairs.get(tenant) != tenant:
            wrong.append(f"{constraint.name} refers to another tenant's row")
        if str(constraint.ondelete) not in {"RESTRICT", "CASCADE"}:
            wrong.append(f"{constraint.name} says ON DELETE {constraint.ondelete}")
    assert wrong == []


@pytest.mark.parametrize("table", TABLES, ids=NAMED)
def test_an_enumeration_is_checked_by_the_database_too(table):
    checks = " ".join(
        str(constraint.sqltext)
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    )
    unchecked = [
        column.name
        for column in table.columns
        if isinstance(column.type, EnumText | Enum) and f"{column.name} in (" not in checks
    ]
    assert unchecked == []


# What a later revision may do to a table that others refer to: SQLite has to rebuild it, which
# drops the old one, which would empty every table that cascades from it.
REBUILDS = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "later", "{newest}"
branch_labels = depends_on = None
def upgrade():
    for name in ("accounts", "providers", "members"):
        with op.batch_alter_table(name, recreate="auto") as table:
            table.add_column(sa.Column("later", sa.Integer(), nullable=False, server_default="7"))
            table.create_check_constraint(op.f(f"ck_{{name}}_later_positive"), "later > 0")
"""


def test_a_filled_database_loses_nothing_when_its_tables_are_rebuilt(databases, kind, tmp_path):
    url = databases.url(kind, f"filled-{uuid.uuid4().hex}")
    (tmp_path / "later.py").write_text(REBUILDS.format(newest=newest_revision()))
    with engine_for(url) as engine:
        with engine.begin() as connection:
            fill(connection, Order(2, 8, None, "a password of the tests", "en"), utc_now())
        before = _contents(engine)
        with engine.connect() as connection:
            config = configuration(connection)
            places = os.pathsep.join([str(FOLDER / "versions"), str(tmp_path)])
            config.set_main_option("version_locations", places)
            command.upgrade(config, "head")
        with engine.connect() as connection:
            assert set(connection.execute(text("SELECT later FROM accounts")).scalars()) == {7}
        assert _contents(engine) == before
    filled = {name for name, rows in before.items() if rows}
    assert {"organizations", "members", "events", "provider_people"} <= filled


def _contents(engine):
    """How many rows each table has."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in TABLES
        }


def _schema(engine):
    inspected = inspect(engine)
    return {
        name: [(column["name"], str(column["type"])) for column in inspected.get_columns(name)]
        for name in inspected.get_table_names()
    }


def _names(table, kind):
    types = {
        "check_constraints": CheckConstraint,
        "unique_constraints": UniqueConstraint,
        "foreign_keys": ForeignKeyConstraint,
    }
    return {
        str(constraint.name)
        for constraint in table.constraints
        if isinstance(constraint, types[kind])
    }
