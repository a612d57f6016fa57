"""Pins of the plan, and plans that are only trials."""

import sqlalchemy as sa
from alembic import op

from govcloud.store.schema import metadata

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    bind = op.get_bind()
    metadata.create_all(bind)
    # A new database has the column from create_all; one of revision 0003 has the table without it.
    if "what_if" not in {c["name"] for c in sa.inspect(bind).get_columns("plan")}:
        op.add_column("plan", sa.Column("what_if", sa.Integer, nullable=False, server_default="0"))
