"""Use of the processors over the days that sysstat has kept, where it is installed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "utilisation"
FIELDS = ("cpu_avg_pct", "cpu_p95_pct", "cpu_peak_pct", "utilisation_days", "utilisation_samples")
FILES = ()
# %idle is the last column of every sar since its first; one number a sample is all that has to travel.
COMMAND = (
    'n=0; for f in /var/log/sa/sa[0-9]* /var/log/sysstat/sa[0-9]*; do if [ -r "$f" ] && [ $n -lt 31 ]; then n=$((n+1)); '
    'sar -u -f "$f" 2>/dev/null; fi; done | awk \'$1 ~ /^[0-9][0-9]:/ && $NF ~ /^[0-9.]+$/ && / all / {print "idle", $NF}\'; '
    'command -v sar >/dev/null || echo "? command cpu_avg_pct cpu_p95_pct cpu_peak_pct utilisation_days utilisation_samples"'
)

_IDLE = re.compile(r"^idle (\d{1,3}(?:\.\d{1,2})?)", re.M)
_SAMPLES_A_DAY = 144
"""sysstat takes one every ten minutes, unless somebody has changed its timer."""
_FEWEST = 36


def parse(text: str) -> Mapping[str, Value]:
    used = sorted(round(100 - float(idle), 2) for idle in _IDLE.findall(text) if float(idle) <= 100)
    if len(used) < _FEWEST:
        # Less than six hours say nothing of a server's use.
        return {}
    return {
        "cpu_avg_pct": round(sum(used) / len(used), 1),
        "cpu_p95_pct": round(used[-(-len(used) * 95 // 100) - 1], 1),
        "cpu_peak_pct": round(used[-1], 1),
        "utilisation_days": round(len(used) / _SAMPLES_A_DAY, 1),
        "utilisation_samples": len(used),
    }
