"""Domains of organizations, and members who are confirmed automatically."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claimed_domains",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_claimed_domains_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "domain", name=op.f("pk_claimed_domains")),
    )
    with op.batch_alter_table("organization_settings") as table:
        table.add_column(
            sa.Column(
                "confirms_automatically", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
    with op.batch_alter_table("organization_settings") as table:
        table.alter_column("confirms_automatically", server_default=None)


def downgrade() -> None:
    op.drop_table("claimed_domains")
    with op.batch_alter_table("organization_settings") as table:
        table.drop_column("confirms_automatically")
