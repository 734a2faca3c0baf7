"""Secrets that a program leaves where they can be seen from outside: on stderr, in its errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aepmock.contract import load_contract
from aepmock.judge import Tally
from aepmock.suite import ClientHarness, end_program
from contract_tests.test_secrets import call_watched
from tests.program.judging import config_of

ROOT = Path(__file__).parents[2]
# What fails when each method is called for the first time is not called again.
LEAKS = {
    "secrets.log": "speaker.log('using', request['settings']['access_token'])",
    "secrets.error": "if number > len(OPERATIONS): raise ValueError(str(request['settings']))",
}
PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from aepmock.client_api import OPERATIONS
from tests.program import speaker

serve = speaker.Speaker.call

def leaky(self, number, request):
    try:
        {leak}
    except ValueError as problem:
        return self.answer(number, error={{"status": None, "code": None, "message": str(problem)}})
    serve(self, number, request)

speaker.Speaker.call = leaky
speaker.main(sys.argv)
"""


def judged(folder: Path, leak: str) -> tuple[Tally, set[str]]:
    """What a program with a leak met and broke in a create and a read, and the run's secrets."""
    script = folder / "leaky.py"
    script.write_text(PROGRAM.format(root=str(ROOT), leak=leak), "utf-8")
    config = config_of([sys.executable, str(script)])
    total = Tally()
    with ClientHarness(config, "a few calls", "default", {}) as harness:
        harness.run_each(["create_connection", "get_connection"], call_watched)
        secrets = {harness.credentials.access_token, *harness.canaries.values()}
    total.merge(harness.tally)
    end_program(config, total)
    return total, secrets


@pytest.mark.parametrize(("clause", "leak"), LEAKS.items())
def test_a_leak_is_found_and_the_finding_is_redacted(
    clause: str, leak: str, tmp_path: Path
) -> None:
    tally, secrets = judged(tmp_path, leak)
    assert [c for c in tally.findings if c.startswith("secrets.")] == [clause]
    text = repr(tally.findings)
    assert [secret for secret in secrets if secret in text] == []


def test_where_nobody_can_look_nothing_is_met(tmp_path: Path) -> None:
    tally, _ = judged(tmp_path, "pass")
    looked_at = {c for c in tally.met if c.startswith("secrets.")}
    assert tally.findings == {}
    assert not looked_at & {"secrets.output", "secrets.repr", "secrets.file"}
    assert {"secrets.url", "secrets.header", "secrets.log"} <= looked_at
    assert looked_at <= set(load_contract().clauses)
