"""What is drawn for a client fits the connector that it is drawn for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import find, given, settings

from aepmock.client_api import NewConnection
from aepmock.contract import AuthParam, AuthSpec, Connector, load_contract
from aepmock.strategies import filters, new_connections, patches

HUBSPOT = load_contract().connectors["hubspot"]
OTHER = replace(
    HUBSPOT,
    key="another",
    spec_id="0a11ce00-0000-4000-8000-00000000000a",
    auth=(
        AuthSpec(
            "Host",
            (
                AuthParam("host", "string", required=True, secret=False),
                AuthParam("port", "integer", required=True, secret=False),
                AuthParam("sslMode", "string", required=False, secret=False),
            ),
        ),
    ),
)
WITHOUT_AUTH = replace(OTHER, key="open", auth=())
SEARCH = settings(max_examples=2000, database=None, deadline=None)


def params_of(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step["value"] for step in operations if step["path"] == "/auth/params"]


@given(operations=patches(OTHER))
def test_params_in_a_patch_are_those_of_the_connector(operations: list[dict[str, Any]]) -> None:
    for params in params_of(operations):
        assert {"host", "port"} <= set(params) <= {"host", "port", "sslMode"}
        assert isinstance(params["port"], int)


@pytest.mark.parametrize("connector", [HUBSPOT, OTHER], ids=lambda c: c.key)
def test_patches_of_a_connector_with_auth_also_change_params(connector: Connector) -> None:
    (found, *_) = params_of(find(patches(connector), lambda o: bool(params_of(o)), settings=SEARCH))
    assert set(found) >= set(connector.auth[0].required)


@given(operations=patches(WITHOUT_AUTH))
def test_a_connector_without_auth_gets_no_params(operations: list[dict[str, Any]]) -> None:
    assert params_of(operations) == []


def by_spec(property: tuple[str, ...]) -> list[str]:
    return [one for one in property if one.startswith("connectionSpec.id==")]


@pytest.mark.parametrize("connector", [HUBSPOT, OTHER], ids=lambda c: c.key)
def test_filters_by_spec_are_drawn(connector: Connector) -> None:
    found = find(filters(connector), lambda p: bool(by_spec(p)), settings=SEARCH)
    assert by_spec(found) == [f"connectionSpec.id=={connector.spec_id}"]


@given(property=filters(OTHER))
def test_a_filter_by_spec_is_for_the_connectors_own(property: tuple[str, ...]) -> None:
    assert set(by_spec(property)) <= {f"connectionSpec.id=={OTHER.spec_id}"}


@given(connection=new_connections(OTHER))
def test_a_new_connection_is_one_of_the_connector(connection: NewConnection) -> None:
    assert connection.connection_spec_id == OTHER.spec_id
    assert connection.auth_spec_name == "Host"
    assert {"host", "port"} <= set(connection.auth_params)
