"""Takes the place of `python -m govcloud.execution.supervise FOLDER`: same lock, same result file, no Ansible."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

folder = Path(sys.argv[1])
step, number, workspace = folder.parent.name, folder.name, folder.parents[4]
script = json.loads((workspace / "standin.json").read_text()) if (workspace / "standin.json").exists() else {}
what = script.get(f"{step}#{number}", script.get(step, {}))
with (workspace / "standin.log").open("a") as log:
    log.write(f"{step}#{number}\n")
(folder / "standin.pid").write_text(str(os.getpid()))
time.sleep(what.get("sleep", 0))
now = datetime.now(UTC).isoformat()
result = {"status": what.get("status", "ok"), "started_at": now, "finished_at": now, "evidence_sha256": "e" * 64}
(folder / "result.new").write_text(json.dumps(result))
(folder / "result.new").replace(folder / "result.json")
