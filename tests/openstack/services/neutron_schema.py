"""Makes Neutron's tables: `neutron_schema.py DATABASE-URL`. Its migrations know MySQL only (`ALTER TABLE … CONVERT TO`)."""

from __future__ import annotations

import sys

import sqlalchemy
from neutron.db.migration.models import head

head.get_metadata().create_all(sqlalchemy.create_engine(sys.argv[1]))
