"""Contract tests look at the project as a whole; they share the parsed sources."""

from __future__ import annotations

import sys
from pathlib import Path

# pytest's importlib mode puts no folder on the path; sources.py is the only module that tests share here.
sys.path.insert(0, str(Path(__file__).parent))
