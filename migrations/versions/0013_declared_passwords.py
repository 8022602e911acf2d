"""What browsers declared of master passwords, and sessions that must choose another one."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "auth_session",
        sa.Column("password_due_since", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "declared_passwords",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_declared_passwords_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_declared_passwords_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "organization_id", name=op.f("pk_declared_passwords")
        ),
    )
    op.create_index(
        op.f("ix_declared_passwords_organization_id"), "declared_passwords", ["organization_id"]
    )


def downgrade() -> None:
    raise RuntimeError("what was declared would be lost; restore a backup")
