"""A finding about a secret names the place and which secret it is, never the secret."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from aepmock.contract import load_contract
from aepmock.judge import Finding
from aepmock.suite import ClientHarness, SuiteConfig
from contract_tests import test_secrets
from tests.mutants import MUTANTS, Mutant

LEAKING = [mutant for mutant in MUTANTS if mutant.clause.startswith("secrets.")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mutant", LEAKING, ids=lambda mutant: mutant.target.rpartition(":")[2])
def test_the_finding_is_redacted(mutant: Mutant) -> None:
    clauses = load_contract().select_clauses(["secrets.*"])
    config = SuiteConfig(
        mutant.factory, mutant.target, frozenset(c.id for c in clauses), examples=1
    )
    secrets: set[str] = set()
    found: dict[str, list[Finding]] = {}
    for name in sorted(vars(test_secrets)):
        if not name.startswith("test_"):
            continue
        with ClientHarness(config, name, "default", {}) as harness:
            getattr(test_secrets, name)(harness)
        secrets |= {harness.credentials.access_token, harness.credentials.client_secret}
        secrets |= {*harness.tokens, *harness.canaries.values()}
        found |= harness.tally.findings
    assert mutant.clause in found
    text = json.dumps([asdict(finding) for findings in found.values() for finding in findings])
    assert [secret for secret in secrets if secret in text] == []
