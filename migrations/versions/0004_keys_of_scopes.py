"""Find at once which keys wait to be handed over and which are due to be changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    keyless = sa.text("until_at is null and wrapped_key is null")
    op.create_index(
        "ix_client_access_keyless",
        "client_access",
        ["provider_id", "person_id", "id"],
        sqlite_where=keyless,
        postgresql_where=keyless,
    )
    due = sa.text("key_rotation_due_since is not null")
    op.create_index(
        "ix_organizations_rotation_due",
        "organizations",
        ["provider_id", "key_rotation_due_since", "id"],
        sqlite_where=due,
        postgresql_where=due,
    )


def downgrade() -> None:
    op.drop_index("ix_organizations_rotation_due", "organizations")
    op.drop_index("ix_client_access_keyless", "client_access")
