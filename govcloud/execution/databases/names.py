"""Names of what we make inside servers; the same rule as playbooks/library/module_utils/gov_db.own_name."""

from __future__ import annotations

import hashlib


def own_name(system_id: str, index: int, suffix: str = "") -> str:
    """Short and plain, whatever the system's id looks like."""
    return f"govcloud_{hashlib.sha256(system_id.encode()).hexdigest()[:10]}_{index}{suffix}"
