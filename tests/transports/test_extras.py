"""What needs an extra says so, with the command that installs it, before anything is begun."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import pytest

import aepmock
from aepmock import transports
from aepmock.cli.main import main
from aepmock.errors import UsageError

REFERENCE = "aepmock.clients.reference:client"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The package that the test names is not installed."""

    def find(name: str) -> object:
        return None if name == request.param else importlib.util.find_spec(name)

    monkeypatch.setattr(transports, "find_spec", find)


@pytest.mark.parametrize("without", ["uvicorn"], indirect=True)
def test_a_server_transport_names_what_it_lacks(without: None) -> None:
    with pytest.raises(UsageError) as caught, aepmock.mock(transport="server"):
        pass
    assert str(caught.value) == (
        "the transport 'server' needs the package uvicorn: python -m pip install 'aepmock[server]'"
    )


@pytest.mark.parametrize("without", ["uvicorn"], indirect=True)
def test_a_mock_in_process_needs_no_server(without: None) -> None:
    with aepmock.mock() as service:
        assert service.connections == []


@pytest.mark.parametrize(
    ("without", "words", "extra"),
    [
        ("uvicorn", ["judge", REFERENCE], "server"),
        ("trustme", ["judge", REFERENCE], "server"),
        ("h11", ["judge", "--attach"], "server"),
        ("uvicorn", ["judge", "--", "true"], "server"),
        ("uvicorn", ["observe", "--", "true"], "server"),
        ("uvicorn", ["serve", "--port", "0"], "server"),
        ("trustme", ["serve", "--port", "0", "--tls"], "server"),
        ("uvicorn", ["proxy", "--", "true"], "proxy"),
        ("cryptography", ["proxy", "--", "true"], "proxy"),
    ],
    indirect=["without"],
)
def test_a_command_names_what_it_lacks(
    without: None,
    words: Sequence[str],
    extra: str,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(words) == 2
    lacking = request.node.callspec.params["without"]
    told = capsys.readouterr().err
    assert f"needs the package {lacking}: python -m pip install 'aepmock[{extra}]'" in told
