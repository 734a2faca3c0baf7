"""The light tests on every Python that this machine has, and with the oldest dependencies.

nox                 # every session whose Python is there
nox -s lowest       # the lower bounds of pyproject.toml
nox -s tests-3.13 -- tests/service
"""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
LIGHT = (
    "tests/contract",
    "tests/judge",
    "tests/strategies",
    "tests/plugin/test_loading.py",
)
"""A minute or two: what depends most on Python and on the libraries."""
LIBRARIES = (
    "tests/plugin/test_fixtures.py",
    "tests/transports/test_guard.py",
    "tests/transports/test_httpx_transport.py",
    "tests/transports/test_requests_transport.py",
    "tests/transports/test_server_transport.py",
)
"""What stands on a library's interface: an old version would show here."""
REFERENCE = "aepmock.clients.reference:client"


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The light tests with the newest dependencies."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", *(session.posargs or LIGHT))


@nox.session(python=PYTHONS[0], venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """The oldest direct dependencies that pyproject.toml allows, on the oldest Python."""
    session.install("--resolution", "lowest-direct", "-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", *(session.posargs or (*LIGHT, *LIBRARIES)))
    session.run("aepmock", "judge", REFERENCE, "--examples", "3")
