"""A user who never stops writing and keeps every acknowledgement.

`writer.py URL LOG`: one POST after another; each acknowledged id is appended to LOG as `monotonic-seconds id` and synced
before the next one is sent. What is refused or unanswered is sent again with a new id after a short pause. Ends on SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
import uuid
from itertools import pairwise
from pathlib import Path

PAUSE_S = 0.05


def main(url: str, log: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with log.open("a", encoding="utf-8") as acknowledged:
        while True:
            name = uuid.uuid4().hex
            body = json.dumps({"id": name, "text": f"公文 {name} " + "附件" * 200}).encode()
            request = urllib.request.Request(f"{url}/records", body, {"Content-Type": "application/json"})  # noqa: S310
            try:
                with opener.open(request, timeout=5) as answer:
                    taken = answer.status == 201
            except OSError:
                taken = False
            if taken:
                acknowledged.write(f"{time.monotonic():.3f} {name}\n")
                acknowledged.flush()
                os.fsync(acknowledged.fileno())
            time.sleep(PAUSE_S)


def acknowledged(log: Path) -> dict[str, float]:
    """Id -> when it was acknowledged, seconds of the monotonic clock."""
    lines = (line.split() for line in log.read_text("utf-8").splitlines() if line.count(" ") == 1)
    return {name: float(at) for at, name in lines}


def longest_gap_s(log: Path) -> float:
    """The longest time in which nobody's write was acknowledged."""
    times = sorted(acknowledged(log).values())
    return max((b - a for a, b in pairwise(times)), default=0.0)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]))
