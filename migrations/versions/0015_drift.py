"""How far each client is from its baseline, and as of when."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = (
    ("drift", sa.Integer()),
    ("drifts_since", sa.DateTime(timezone=True)),
    ("looked_seq", sa.BigInteger()),
    ("looked_on", sa.Date()),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("baseline_assignments", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    raise RuntimeError("baselines of version 14 know nothing of drift; restore a backup")
