"""Waivers of findings, and the requests that were checked."""

from alembic import op

from govcloud.store.schema import metadata

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    metadata.create_all(op.get_bind())
