"""The far end of a pipe for PostgreSQL: its actions by name. True: it changes a target, so the marker is asked first."""

from ansible.module_utils import gov_postgres_copy as copy
from ansible.module_utils import gov_postgres_digest as digest
from ansible.module_utils import gov_postgres_frame as frame
from ansible.module_utils import gov_postgres_replication as replication

ACTIONS = {
    "describe": (frame.describe, False),
    "roles": (frame.roles, False),
    "import_roles": (frame.import_roles, True),
    "sequences": (frame.sequences, False),
    "set_sequences": (frame.set_sequences, True),
    "exists": (frame.exists, False),
    "hold_snapshot": (copy.hold_snapshot, False),
    "dump_schema": (copy.dump_schema, False),
    "restore_schema": (copy.restore_schema, True),
    "finish": (copy.finish, True),
    "refresh": (copy.refresh, True),
    "inventory": (copy.inventory, False),
    "copy_out": (copy.copy_out, False),
    "expect": (copy.expect, True),
    "copy_in": (copy.copy_in, True),
    "refill": (copy.refill, True),
    "large_objects": (copy.large_objects, False),
    "make_large_objects": (copy.make_large_objects, True),
    "dump_large_objects": (copy.dump_large_objects, False),
    "restore_large_objects": (copy.restore_large_objects, True),
    "digest": (digest.digest, False),
    "baseline": (digest.baseline, True),
    "taken": (digest.taken, False),
    "publish": (replication.publish, True),
    "credentials": (replication.credentials, False),
    "reachable": (replication.reachable, False),
    "subscribe": (replication.subscribe, True),
    "lag": (replication.lag, False),
    "received": (replication.received, False),
    "pause": (replication.pause, True),
    "resume": (replication.resume, True),
    "end_target": (replication.end_target, True),
    "end_source": (replication.end_frozen_source, True),
}
