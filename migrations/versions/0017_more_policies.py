"""Policies of vault apps: Sends, typing into other programs, rules for filling in."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KINDS = (
    "kind in ('master_password', 'two_step', 'account_recovery', 'single_organization',"
    " 'data_ownership', 'vault_timeout', 'password_generator', 'no_personal_export', 'no_pin',"
    " 'restricted_item_types', 'uri_match', 'autofill', 'autotype', 'fill_assist',"
    " 'send_controls', 'vault_banner', 'block_account_creation')"
)


def upgrade() -> None:
    with op.batch_alter_table("policies") as table:
        table.drop_constraint(op.f("ck_policies_kind_known"), type_="check")
        table.create_check_constraint(op.f("ck_policies_kind_known"), KINDS)


def downgrade() -> None:
    raise RuntimeError("policies would be lost; restore a backup")
