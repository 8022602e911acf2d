"""Domains are verified by a TXT record."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ANSWERS = "answer in ('', 'found', 'taken', 'others', 'no_record', 'no_domain', 'no_answer')"
VERIFIED = sa.text("verified_at is not null")


def upgrade() -> None:
    # Nothing could write to the table so far.
    op.drop_table("claimed_domains")
    make_domains()


def make_domains() -> None:
    op.create_table(
        "claimed_domains",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(ANSWERS, name=op.f("ck_claimed_domains_answer_known")),
        sa.CheckConstraint(
            "verified_at is null or next_check_at is not null",
            name=op.f("ck_claimed_domains_kept_watched"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_claimed_domains_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_claimed_domains")),
        sa.UniqueConstraint(
            "organization_id", "domain", name=op.f("uq_claimed_domains_organization_id_domain")
        ),
    )
    op.create_index(
        "ix_claimed_domains_verified",
        "claimed_domains",
        ["domain"],
        unique=True,
        sqlite_where=VERIFIED,
        postgresql_where=VERIFIED,
    )
    op.create_index(op.f("ix_claimed_domains_next_check_at"), "claimed_domains", ["next_check_at"])


def downgrade() -> None:
    raise RuntimeError("the domains would be lost; restore a backup")
