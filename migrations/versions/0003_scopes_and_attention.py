"""Scopes of provider people, what waits for attention, lists of clients, and the brand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ACTIONS = "action in ('tag', 'untag', 'suspend', 'resume', 'invite'"

# Everybody who works here reached every client until now. A row that is projected from one other
# row takes over its id: it is unique, and both databases have it at hand.
FILL = (
    "UPDATE organizations SET provider_since = created_at WHERE provider_id IS NOT NULL",
    "INSERT INTO scope_terms (provider_id, id, person_id, email, role, reach, level, from_at)"
    " SELECT provider_id, id, id, email, role, reach, level, coalesce(confirmed_at, created_at)"
    " FROM provider_people WHERE state = 'confirmed'",
    "INSERT INTO attention"
    " (provider_id, id, organization_id, kind, subject_id, label, reason, since, due_at)"
    " SELECT o.provider_id, m.id, o.id, m.state, m.id, m.email, '',"
    " coalesce(m.accepted_at, m.created_at),"
    " CASE WHEN m.state = 'invited' THEN m.invitation_expires_at END"
    " FROM members m JOIN organizations o ON o.id = m.organization_id"
    " WHERE o.provider_id IS NOT NULL AND m.state IN ('invited', 'accepted', 'staged')",
    "INSERT INTO attention"
    " (provider_id, id, organization_id, kind, subject_id, label, reason, since, due_at)"
    " SELECT provider_id, id, NULL, state, id, email, '', coalesce(accepted_at, created_at),"
    " CASE WHEN state = 'invited' THEN invitation_expires_at END"
    " FROM provider_people WHERE state IN ('invited', 'accepted')",
    "INSERT INTO attention"
    " (provider_id, id, organization_id, kind, subject_id, label, reason, since)"
    " SELECT provider_id, id, id, 'seats_full', id, '', '', created_at FROM organizations"
    " WHERE provider_id IS NOT NULL AND seats_used >= coalesce(seat_limit, seats)"
    " AND (seat_limit IS NOT NULL OR NOT seats_grow)",
)


def upgrade() -> None:
    make_scopes()
    make_attention()
    make_imports()
    make_logos()
    change_people()
    with op.batch_alter_table("change_sets") as table:
        table.add_column(
            sa.Column(
                "details",
                sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
                nullable=False,
                server_default="{}",
            )
        )
        table.drop_constraint(op.f("ck_change_sets_action_known"), type_="check")
        table.create_check_constraint(op.f("ck_change_sets_action_known"), f"{ACTIONS}, 'seats')")
    with op.batch_alter_table("change_sets") as table:
        table.alter_column("details", server_default=None)
    with op.batch_alter_table("providers") as table:
        table.add_column(
            sa.Column("accent", sa.String(length=7), nullable=False, server_default="")
        )
        table.add_column(sa.Column("logo_id", sa.Uuid(), nullable=True))
    with op.batch_alter_table("providers") as table:
        table.alter_column("accent", server_default=None)
    for name in ("provider_since", "key_rotation_due_since"):
        op.add_column("organizations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for statement in FILL:
        op.execute(statement)


def change_people() -> None:
    required = {
        "reach": (sa.String(length=32), "all"),
        "level": (sa.String(length=32), "manage"),
        "wants_digest": (sa.Boolean(), sa.true()),
    }
    with op.batch_alter_table("provider_people") as table:
        for name, (kind, default) in required.items():
            table.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        table.add_column(sa.Column("access_ends_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("calendar_token_hash", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("digest_sent_on", sa.Date(), nullable=True))
        table.create_check_constraint(
            op.f("ck_provider_people_reach_known"), "reach in ('all', 'all_but', 'only')"
        )
        table.create_check_constraint(
            op.f("ck_provider_people_level_known"), "level in ('manage', 'read_only')"
        )
        table.create_unique_constraint(
            op.f("uq_provider_people_provider_id_calendar_token_hash"),
            ["provider_id", "calendar_token_hash"],
        )
    with op.batch_alter_table("provider_people") as table:
        for name in required:
            table.alter_column(name, server_default=None)
    op.create_index(
        "ix_provider_people_access_ends",
        "provider_people",
        ["access_ends_at"],
        sqlite_where=sa.text("access_ends_at is not null"),
        postgresql_where=sa.text("access_ends_at is not null"),
    )


def make_scopes() -> None:
    op.create_table(
        "scope_terms",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=256), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("reach", sa.String(length=32), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "level in ('manage', 'read_only')", name=op.f("ck_scope_terms_level_known")
        ),
        sa.CheckConstraint(
            "reach in ('all', 'all_but', 'only')", name=op.f("ck_scope_terms_reach_known")
        ),
        sa.CheckConstraint(
            "role in ('provider_admin', 'service_user', 'owner', 'admin', 'user')",
            name=op.f("ck_scope_terms_role_known"),
        ),
        sa.CheckConstraint(
            "until_at is null or until_at >= from_at", name=op.f("ck_scope_terms_term_order")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_scope_terms_provider_id_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "id", name=op.f("pk_scope_terms")),
    )
    op.create_index(
        "ix_scope_terms_open",
        "scope_terms",
        ["provider_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("until_at is null"),
        postgresql_where=sa.text("until_at is null"),
    )
    op.create_index(
        op.f("ix_scope_terms_provider_id_from_at"),
        "scope_terms",
        ["provider_id", "from_at"],
    )
    op.create_table(
        "client_access",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("because", sa.String(length=32), nullable=False),
        sa.Column("tag_name", sa.String(length=30), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrapped_key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "because in ('listed', 'tagged', 'not_excluded')",
            name=op.f("ck_client_access_because_known"),
        ),
        sa.CheckConstraint(
            "until_at is null or until_at >= from_at", name=op.f("ck_client_access_access_order")
        ),
        sa.CheckConstraint(
            "until_at is null or wrapped_key is null",
            name=op.f("ck_client_access_no_key_once_closed"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_client_access_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_client_access_provider_id_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "id", name=op.f("pk_client_access")),
    )
    op.create_index(
        "ix_client_access_open",
        "client_access",
        ["provider_id", "person_id", "organization_id"],
        unique=True,
        sqlite_where=sa.text("until_at is null"),
        postgresql_where=sa.text("until_at is null"),
    )
    op.create_index(
        op.f("ix_client_access_organization_id_from_at"),
        "client_access",
        ["organization_id", "from_at"],
    )
    op.create_table(
        "scope_parts",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("tag_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(organization_id is null) <> (tag_id is null)",
            name=op.f("ck_scope_parts_client_or_tag"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_scope_parts_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_id", "person_id"],
            ["provider_people.provider_id", "provider_people.id"],
            name=op.f("fk_scope_parts_provider_id_person_id_provider_people"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_id", "tag_id"],
            ["tags.provider_id", "tags.id"],
            name=op.f("fk_scope_parts_provider_id_tag_id_tags"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "id", name=op.f("pk_scope_parts")),
        sa.UniqueConstraint(
            "provider_id",
            "person_id",
            "organization_id",
            name=op.f("uq_scope_parts_provider_id_person_id_organization_id"),
        ),
        sa.UniqueConstraint(
            "provider_id",
            "person_id",
            "tag_id",
            name=op.f("uq_scope_parts_provider_id_person_id_tag_id"),
        ),
    )
    op.create_index(
        op.f("ix_scope_parts_organization_id"),
        "scope_parts",
        ["organization_id"],
    )
    op.create_index(
        op.f("ix_scope_parts_provider_id_tag_id"),
        "scope_parts",
        ["provider_id", "tag_id"],
    )


def make_attention() -> None:
    op.create_table(
        "attention",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=256), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('invited', 'accepted', 'staged', 'mail_failed', 'seats_full', 'certificate',"
            " 'client_secret', 'domain_check', 'trial', 'grant')",
            name=op.f("ck_attention_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_attention_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_attention_provider_id_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "id", name=op.f("pk_attention")),
        sa.UniqueConstraint(
            "provider_id",
            "kind",
            "subject_id",
            name=op.f("uq_attention_provider_id_kind_subject_id"),
        ),
    )
    op.create_index(
        op.f("ix_attention_organization_id"),
        "attention",
        ["organization_id"],
    )
    op.create_index(
        op.f("ix_attention_provider_id_due_at"),
        "attention",
        ["provider_id", "due_at"],
    )
    op.create_index(
        op.f("ix_attention_provider_id_since"),
        "attention",
        ["provider_id", "since"],
    )
    op.create_index(
        op.f("ix_attention_subject_id"),
        "attention",
        ["subject_id"],
    )


def make_imports() -> None:
    op.create_table(
        "client_imports",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('planned', 'running', 'done')", name=op.f("ck_client_imports_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_client_imports_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_client_imports_provider_id_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "id", name=op.f("pk_client_imports")),
    )
    op.create_index(
        op.f("ix_client_imports_account_id"),
        "client_imports",
        ["account_id"],
    )
    op.create_table(
        "client_import_lines",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "typed", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "problems", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state in ('planned', 'broken', 'done', 'refused')",
            name=op.f("ck_client_import_lines_state_known"),
        ),
        sa.CheckConstraint("line >= 1", name=op.f("ck_client_import_lines_line_positive")),
        sa.ForeignKeyConstraint(
            ["provider_id", "import_id"],
            ["client_imports.provider_id", "client_imports.id"],
            name="fk_client_import_lines_import_client_imports",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "provider_id", "import_id", "line", name=op.f("pk_client_import_lines")
        ),
    )


def make_logos() -> None:
    op.create_table(
        "provider_logos",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "media_type in ('image/png', 'image/jpeg', 'image/webp')",
            name=op.f("ck_provider_logos_media_type_known"),
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["providers.id"],
            name=op.f("fk_provider_logos_provider_id_providers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "id", name=op.f("pk_provider_logos")),
    )


def downgrade() -> None:
    raise RuntimeError("who reached what would be lost; restore a backup")
