"""Groups, levels of access, policies, custom roles, and what an organization has set."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROLES = "role in ('provider_admin', 'service_user', 'owner', 'admin', 'user', 'custom')"
LEVELS = "level in ('view_hidden', 'view', 'edit_hidden', 'edit', 'manage')"


def upgrade() -> None:
    make_groups()
    make_access()
    make_policies()
    for name in ("affiliations", "provider_people", "scope_terms"):
        with op.batch_alter_table(name) as table:
            table.drop_constraint(op.f(f"ck_{name}_role_known"), type_="check")
            table.create_check_constraint(op.f(f"ck_{name}_role_known"), ROLES)
    change_members()
    change_collections()
    change_organizations()


def change_members() -> None:
    words = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    required = {
        "permissions": (words, "[]"),
        "external_id": (sa.String(length=300), ""),
        "revoked_because": (sa.String(length=32), ""),
    }
    with op.batch_alter_table("members") as table:
        for name, (kind, default) in required.items():
            table.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        table.add_column(sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
        table.drop_constraint(op.f("ck_members_role_known"), type_="check")
        table.create_check_constraint(op.f("ck_members_role_known"), ROLES)
    with op.batch_alter_table("members") as table:
        for name in required:
            table.alter_column(name, server_default=None)


def change_collections() -> None:
    with op.batch_alter_table("collection_members") as table:
        table.alter_column("level", existing_type=sa.String(length=16), type_=sa.String(length=32))
        table.drop_constraint(op.f("ck_collection_members_level_known"), type_="check")
        table.create_check_constraint(op.f("ck_collection_members_level_known"), LEVELS)
    required = {"external_id": (sa.String(length=300), ""), "version": (sa.Integer(), "1")}
    with op.batch_alter_table("collections") as table:
        for name, (kind, default) in required.items():
            table.add_column(sa.Column(name, kind, nullable=False, server_default=default))
    with op.batch_alter_table("collections") as table:
        for name in required:
            table.alter_column(name, server_default=None)
    op.create_index(
        "ix_collections_external_id",
        "collections",
        ["organization_id", "external_id"],
        unique=True,
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    )


def change_organizations() -> None:
    for name in ("hidden_since", "growth_told_at", "limit_told_at"):
        op.add_column("organizations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "organization_settings",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("limits_collection_creation", sa.Boolean(), nullable=False),
        sa.Column("limits_collection_deletion", sa.Boolean(), nullable=False),
        sa.Column("limits_item_deletion", sa.Boolean(), nullable=False),
        sa.Column("admins_reach_all", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_organization_settings_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_organization_settings")),
    )


def make_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "name_ci",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("external_id", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_groups_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_groups")),
    )
    op.create_index(
        "ix_groups_external_id",
        "groups",
        ["organization_id", "external_id"],
        unique=True,
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    )
    op.create_index(
        op.f("ix_groups_organization_id_name_ci_id"),
        "groups",
        ["organization_id", "name_ci", "id"],
    )
    op.create_table(
        "group_members",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "group_id"],
            ["groups.organization_id", "groups.id"],
            name=op.f("fk_group_members_organization_id_group_id_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "member_id"],
            ["members.organization_id", "members.id"],
            name=op.f("fk_group_members_organization_id_member_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "group_id", "member_id", name=op.f("pk_group_members")
        ),
    )
    op.create_index(
        op.f("ix_group_members_organization_id_member_id"),
        "group_members",
        ["organization_id", "member_id"],
    )


def make_access() -> None:
    op.create_table(
        "collection_groups",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "level in ('view_hidden', 'view', 'edit_hidden', 'edit', 'manage')",
            name=op.f("ck_collection_groups_level_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "collection_id"],
            ["collections.organization_id", "collections.id"],
            name=op.f("fk_collection_groups_organization_id_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "group_id"],
            ["groups.organization_id", "groups.id"],
            name=op.f("fk_collection_groups_organization_id_group_id_groups"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "collection_id", "group_id", name=op.f("pk_collection_groups")
        ),
    )
    op.create_index(
        op.f("ix_collection_groups_organization_id_group_id"),
        "collection_groups",
        ["organization_id", "group_id"],
    )


def make_policies() -> None:
    op.create_table(
        "policies",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('master_password', 'two_step', 'account_recovery', 'single_organization', 'require_sso',"
            " 'data_ownership', 'vault_timeout', 'password_generator', 'no_personal_export', 'no_pin',"
            " 'restricted_item_types', 'uri_match', 'autofill', 'vault_banner')",
            name=op.f("ck_policies_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_policies_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "kind", name=op.f("pk_policies")),
    )
    op.create_table(
        "skipped_steps",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "step in ('collections', 'vault', 'policies', 'sso', 'groups', 'members')",
            name=op.f("ck_skipped_steps_step_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_skipped_steps_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "step", name=op.f("pk_skipped_steps")),
    )


def downgrade() -> None:
    raise RuntimeError("groups, levels and policies would be lost; restore a backup")
