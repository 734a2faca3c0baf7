"""`python -m aepmock`: the command line."""

from __future__ import annotations

from aepmock.cli import main

raise SystemExit(main())
