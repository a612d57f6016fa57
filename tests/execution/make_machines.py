"""Makes the machines of a spec in a process of its own, so that a test can kill it: `make_machines.py SPEC.json`."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from govcloud.execution.drivers.making import Maker
from govcloud.model.migration import MigrationSpec

file = Path(sys.argv[1])
spec = msgspec.json.decode(file.read_bytes(), type=MigrationSpec)
Maker(spec, "20260307-1", file.parent, (), base=file.parent, limit_s=20).create()
