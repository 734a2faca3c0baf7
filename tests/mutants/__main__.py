"""python -m tests.mutants [--times] [PATTERN …]: judges the judge, or how long it takes."""

from __future__ import annotations

import sys

from tests.mutants.running import main

raise SystemExit(main(sys.argv[1:]))
