"""Lists of people to be invited."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "member_imports",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("levels", words, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('planned', 'running', 'done')", name=op.f("ck_member_imports_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_member_imports_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_member_imports_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_member_imports")),
    )
    op.create_index(op.f("ix_member_imports_account_id"), "member_imports", ["account_id"])
    op.create_table(
        "member_import_lines",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("typed", words, nullable=False),
        sa.Column("problems", words, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("line >= 1", name=op.f("ck_member_import_lines_line_positive")),
        sa.CheckConstraint(
            "state in ('planned', 'broken', 'done', 'refused')",
            name=op.f("ck_member_import_lines_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "import_id"],
            ["member_imports.organization_id", "member_imports.id"],
            name="fk_member_import_lines_import_member_imports",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "import_id", "line", name=op.f("pk_member_import_lines")
        ),
    )


def downgrade() -> None:
    op.drop_table("member_import_lines")
    op.drop_table("member_imports")
