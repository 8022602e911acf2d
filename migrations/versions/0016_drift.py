"""How far each client is from its baseline, as of when; and accepted deviations that end."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KINDS = (
    "kind in ('invited', 'accepted', 'staged', 'mail_failed', 'seats_full', 'seats_asked',"
    " 'certificate', 'client_secret', 'domain_check', 'trial', 'grant', 'deviation')"
)
COLUMNS = (
    ("drift", sa.Integer()),
    ("drifts_since", sa.DateTime(timezone=True)),
    ("looked_seq", sa.BigInteger()),
    ("looked_on", sa.Date()),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("baseline_assignments", sa.Column(name, kind, nullable=True))
    with op.batch_alter_table("attention") as table:
        table.drop_constraint(op.f("ck_attention_kind_known"), type_="check")
        table.create_check_constraint(op.f("ck_attention_kind_known"), KINDS)


def downgrade() -> None:
    raise RuntimeError("what clients deviate in would be lost; restore a backup")
