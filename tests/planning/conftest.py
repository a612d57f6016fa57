"""The planning tests share their sample problems (estates.py, offices.py, office_problems.py, plans.py)."""

from __future__ import annotations

import sys
from pathlib import Path

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))
