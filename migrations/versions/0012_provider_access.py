"""Who from the provider can come into an organization, and time-boxed grants."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN = "state in ('requested', 'approved')"


def upgrade() -> None:
    op.create_table(
        "provider_access",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode in ('ask', 'never')", name=op.f("ck_provider_access_mode_limits")),
        organization("provider_access"),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_provider_access")),
    )
    make_grants()


def organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"],
        ["organizations.id"],
        name=op.f(f"fk_{table}_organization_id_organizations"),
        ondelete="CASCADE",
    )


def make_grants() -> None:
    op.create_table(
        "access_grants",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("asked_minutes", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_name", sa.String(length=100), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_name", sa.String(length=100), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('requested', 'approved', 'declined', 'withdrawn', 'lapsed', 'ended',"
            " 'expired')",
            name=op.f("ck_access_grants_state_known"),
        ),
        sa.CheckConstraint(
            "(state in ('approved', 'ended', 'expired')) = (ends_at is not null)",
            name=op.f("ck_access_grants_end_known"),
        ),
        sa.CheckConstraint(
            f"({OPEN}) = (closed_at is null)", name=op.f("ck_access_grants_closed_once")
        ),
        sa.CheckConstraint(
            "minutes is null or minutes <= asked_minutes",
            name=op.f("ck_access_grants_never_more"),
        ),
        organization("access_grants"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_access_grants")),
    )
    op.create_index(
        "ix_access_grants_open",
        "access_grants",
        ["organization_id", "account_id"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )


def downgrade() -> None:
    raise RuntimeError("what owners decided would be lost; restore a backup")
