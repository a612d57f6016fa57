from __future__ import annotations

import sys
from pathlib import Path

# export_cases.py stands beside the tests; importlib mode does not put their folder on the path.
sys.path.insert(0, str(Path(__file__).parent))
