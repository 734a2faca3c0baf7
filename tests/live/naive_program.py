"""The example program with urllib's own redirects, which take every header along."""

from __future__ import annotations

import contextlib
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "python"))

import client

del client.NoRedirect.redirect_request

if len(sys.argv) > 1:
    with contextlib.suppress(OSError):
        urllib.request.urlopen(sys.argv[1], timeout=5)
client.main()
