"""`python -m aepmock`: the command line."""

from __future__ import annotations

from aepmock.cli.main import main

raise SystemExit(main())
