"""python -m tests.mutants [PATTERN …]: judges the judge."""

from __future__ import annotations

import sys

from tests.mutants.running import main

raise SystemExit(main(sys.argv[1:]))
