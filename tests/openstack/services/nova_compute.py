"""nova-compute with the bed's own virt driver, which lies beside this file: Nova looks for drivers in its own package only."""

from __future__ import annotations

import sys
from pathlib import Path

import nova.virt
from nova.cmd.compute import main

here = str(Path(__file__).parent)
nova.virt.__path__.append(here)
# Our other programs are no modules of its.
sys.path.remove(here)
sys.argv[0] = "nova-compute"
main()
