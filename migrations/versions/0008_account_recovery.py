"""Account recovery: enrolments, requests, and master passwords that somebody else knows."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

IS_OPEN = "state in ('requested', 'approved')"


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column("temporary_password_since", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "recovery_enrolments",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped_user_key", sa.Text(), nullable=False),
        sa.Column("account_public_key", sa.Text(), nullable=False),
        sa.Column("organization_public_key", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        of_member("recovery_enrolments"),
        sa.PrimaryKeyConstraint(
            "organization_id", "member_id", name=op.f("pk_recovery_enrolments")
        ),
    )
    make_requests()
    op.create_table(
        "recovery_settings",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("provider_may", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_recovery_settings_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_recovery_settings")),
    )


def of_member(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "member_id"],
        ["members.organization_id", "members.id"],
        name=op.f(f"fk_{table}_organization_id_member_id_members"),
        ondelete="CASCADE",
    )


def make_requests() -> None:
    op.create_table(
        "recovery_requests",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=100), nullable=False),
        sa.Column("by_provider", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.String(length=100), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_name", sa.String(length=100), nullable=False),
        sa.CheckConstraint(
            "state in ('requested', 'approved', 'done', 'stopped', 'declined', 'withdrawn',"
            " 'expired')",
            name=op.f("ck_recovery_requests_state_known"),
        ),
        of_member("recovery_requests"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_recovery_requests")),
    )
    op.create_index(
        "ix_recovery_requests_open",
        "recovery_requests",
        ["organization_id", "member_id"],
        unique=True,
        sqlite_where=sa.text(IS_OPEN),
        postgresql_where=sa.text(IS_OPEN),
    )
    op.create_index(
        op.f("ix_recovery_requests_organization_id_member_id_id"),
        "recovery_requests",
        ["organization_id", "member_id", "id"],
    )


def downgrade() -> None:
    raise RuntimeError("enrolments would be lost; restore a backup")
