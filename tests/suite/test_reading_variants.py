"""The readings that a test runs under, and the command that shows a finding of one of them."""

from __future__ import annotations

import pytest

from aepmock.clients.reference import client
from aepmock.contract import load_contract
from aepmock.errors import UsageError
from aepmock.suite import ClientHarness, SuiteConfig, reading_variants
from aepmock.suite.failures import reproduce

STATUS, LINKS = "connections.delete-status", "connections.last-page-links"
OPERATIONS = ("connections.delete", "connections.list")


def variants(choice: str, **chosen: str) -> dict[str, dict[str, str]]:
    return dict(reading_variants(load_contract(), choice, OPERATIONS, chosen))


def test_all_varies_every_question_that_the_operations_can_notice() -> None:
    found = variants("all")
    assert next(iter(found)) == "default"
    assert found["default"] == {}
    assert found[f"{STATUS}=202"] == {STATUS: "202"}
    assert found[f"{LINKS}=absent"] == {LINKS: "absent"}
    assert not any("create-etag" in label for label in found)


def test_what_is_chosen_holds_in_each_and_is_not_varied() -> None:
    found = variants("all", **{STATUS: "202"})
    assert next(iter(found)) == f"{STATUS}=202"
    assert found[f"{STATUS}=202,{LINKS}=absent"] == {STATUS: "202", LINKS: "absent"}
    assert all(readings[STATUS] == "202" for readings in found.values())
    assert variants("default", **{STATUS: "202"}) == {f"{STATUS}=202": {STATUS: "202"}}


def test_a_chosen_default_is_not_varied_either() -> None:
    found = variants("all", **{STATUS: "204"})
    assert all(readings[STATUS] == "204" for readings in found.values())
    assert next(iter(found)) == "default"


def test_another_choice_is_misuse() -> None:
    with pytest.raises(UsageError, match="unknown choice of readings 'al'"):
        variants("al")


def test_a_run_under_one_reading_has_the_seed_and_the_examples_of_the_sweep_that_found_it() -> None:
    config = SuiteConfig(client, "acme:client", frozenset(), examples=25)
    chosen = {STATUS: "202"}
    swept = ClientHarness(config, "a test", f"{STATUS}=202", chosen)
    command = reproduce(config, "request.sandbox", reading=swept.reading, examples=swept.examples)
    assert command.endswith(f"--seed 0 --examples 5 --reading {STATUS}=202")
    again = SuiteConfig(client, "acme:client", frozenset(), examples=5, readings=chosen)
    ((label, readings),) = reading_variants(load_contract(), "default", (), again.readings)
    alone = ClientHarness(again, "a test", label, readings)
    assert (alone.seed, alone.examples) == (swept.seed, swept.examples)
    assert alone.service.readings == swept.service.readings
