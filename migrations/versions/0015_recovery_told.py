"""Account recovery: when the member's mail left, from which on their 24 hours count."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "recovery_requests", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True)
    )
    # What is open already counts from when its mail left, where that is still known.
    op.execute(
        "update recovery_requests set told_at = (select min(outbox.finished_at) from outbox"
        " where outbox.topic = 'mail.recovery_asked' and outbox.state = 'sent'"
        " and outbox.subject_id = recovery_requests.member_id"
        " and outbox.created_at >= recovery_requests.asked_at)"
        " where state in ('requested', 'approved')"
    )


def downgrade() -> None:
    raise RuntimeError("when members were told would be lost; restore a backup")
