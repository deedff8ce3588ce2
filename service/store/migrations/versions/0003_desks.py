"""What is worked on in the console lies on desks, sealed, until it is saved or its hours are over."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the desks; their contents are pieces."""
    op.create_table(
        "desk",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("part", sa.Text(), primary_key=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
