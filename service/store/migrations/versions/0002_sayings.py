"""What is said of words and courses stands beside the rejections; a job tells what it is at."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the kinds of sayings; a synonym is about no course."""
    with op.batch_alter_table("override") as table:
        table.add_column(sa.Column("kind", sa.Text(), nullable=False, server_default="reject"))
        table.add_column(sa.Column("title", sa.Text()))
        table.add_column(sa.Column("word", sa.Text()))
        table.add_column(sa.Column("competencies", sa.Text()))
        table.alter_column("course_id", existing_type=sa.Text(), nullable=True)
    # Whoever writes says which kind it is; the default was for the rows that were there.
    with op.batch_alter_table("override") as table:
        table.alter_column("kind", existing_type=sa.Text(), server_default=None)
    op.add_column("job", sa.Column("stage", sa.Text()))
