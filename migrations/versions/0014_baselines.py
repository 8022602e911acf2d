"""Baselines of providers, what clients were given of them, and accepted deviations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ACTIONS = "action in ('tag', 'untag', 'suspend', 'resume', 'invite', 'seats', 'baseline')"
TREE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("change_sets") as table:
        table.drop_constraint(op.f("ck_change_sets_action_known"), type_="check")
        table.create_check_constraint(op.f("ck_change_sets_action_known"), ACTIONS)
    make_baselines()
    make_assignments()


def make_baselines() -> None:
    op.create_table(
        "baselines",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "name_ci",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_baselines_provider_id_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "id", name=op.f("pk_baselines")),
        sa.UniqueConstraint(
            "provider_id", "name_ci", name=op.f("uq_baselines_provider_id_name_ci")
        ),
    )
    op.create_table(
        "baseline_versions",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("baseline_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", TREE, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id", "baseline_id"],
            ["baselines.provider_id", "baselines.id"],
            name="fk_baseline_versions_baseline_baselines",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "provider_id", "baseline_id", "number", name=op.f("pk_baseline_versions")
        ),
    )


def make_assignments() -> None:
    op.create_table(
        "baseline_assignments",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("baseline_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_baseline_assignments_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_id", "baseline_id", "number"],
            [
                "baseline_versions.provider_id",
                "baseline_versions.baseline_id",
                "baseline_versions.number",
            ],
            name="fk_baseline_assignments_version_baseline_versions",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "provider_id", "organization_id", name=op.f("pk_baseline_assignments")
        ),
    )
    op.create_index(
        op.f("ix_baseline_assignments_provider_id_baseline_id_organization_id"),
        "baseline_assignments",
        ["provider_id", "baseline_id", "organization_id"],
    )
    op.create_index(
        op.f("ix_baseline_assignments_organization_id"),
        "baseline_assignments",
        ["organization_id"],
    )
    op.create_table(
        "baseline_deviations",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("path_hash", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("value", TREE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id", "organization_id"],
            ["baseline_assignments.provider_id", "baseline_assignments.organization_id"],
            name="fk_baseline_deviations_assignment_baseline_assignments",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "provider_id", "organization_id", "path_hash", name=op.f("pk_baseline_deviations")
        ),
    )


def downgrade() -> None:
    raise RuntimeError("baselines and accepted deviations would be lost; restore a backup")
