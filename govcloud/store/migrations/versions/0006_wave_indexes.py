"""Indexes for what is asked of one system of a large wave, so that it does not cost more the larger the wave is."""

from alembic import op

from govcloud.store.schema import run_system, step_attempt

revision = "0006"
down_revision = "0005"

_NEW = ("run_system_run_state", "step_attempt_token")


def upgrade() -> None:
    # A new database has today's indexes from 0001.
    for table in (run_system, step_attempt):
        for index in table.indexes:
            if index.name in _NEW:
                index.create(op.get_bind(), checkfirst=True)
