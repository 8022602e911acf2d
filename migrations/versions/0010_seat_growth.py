"""Bounds of seats that grow by themselves, and requests for seats."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KINDS = (
    "kind in ('invited', 'accepted', 'staged', 'mail_failed', 'seats_full', 'seats_asked', "
    "'certificate', 'client_secret', 'domain_check', 'trial', 'grant')"
)


def upgrade() -> None:
    make_bounds()
    make_requests()
    with op.batch_alter_table("attention") as table:
        table.drop_constraint(op.f("ck_attention_kind_known"), type_="check")
        table.create_check_constraint(op.f("ck_attention_kind_known"), KINDS)


def make_bounds() -> None:
    op.create_table(
        "seat_rules",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("monthly_ceiling", sa.Integer(), nullable=True),
        sa.Column("daily_number", sa.Integer(), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("grown", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "monthly_ceiling is null or monthly_ceiling >= 0",
            name=op.f("ck_seat_rules_ceiling_bounds"),
        ),
        sa.CheckConstraint(
            "daily_number is null or daily_number >= 0", name=op.f("ck_seat_rules_daily_bounds")
        ),
        sa.CheckConstraint("grown >= 0", name=op.f("ck_seat_rules_grown_positive")),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_seat_rules_provider_id_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_seat_rules")),
    )
    op.create_table(
        "seat_growth",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("grown", sa.Integer(), nullable=False),
        sa.CheckConstraint("grown >= 0", name=op.f("ck_seat_growth_grown_positive")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_seat_growth_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_seat_growth")),
    )


def make_requests() -> None:
    op.create_table(
        "seat_requests",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'approved', 'declined', 'withdrawn')",
            name=op.f("ck_seat_requests_state_known"),
        ),
        sa.CheckConstraint("seats >= 1", name=op.f("ck_seat_requests_seats_positive")),
        sa.CheckConstraint(
            "(state = 'open') = (answered_at is null)",
            name=op.f("ck_seat_requests_answered_once"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_seat_requests_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_seat_requests")),
    )
    op.create_index(
        "ix_seat_requests_open",
        "seat_requests",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    raise RuntimeError("bounds and requests for seats would be lost; restore a backup")
