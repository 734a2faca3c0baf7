"""What a host, an origin, a token and a media type are, and that nobody else decides it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aepmock.net import (
    ELSEWHERE,
    ims_token_url,
    is_adobe,
    is_loopback,
    media_type,
    origin_of,
    other_origin,
    read_authorization,
)

KIT = Path(__file__).parents[1] / "aepmock"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "127.255.0.9", "::1", "[::1]",
                                  "::1%lo", "localhost", "LocalHost", "localhost."])  # fmt: skip
def test_loopback_is_known_by_each_of_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "127.1", "127.0.0.300", "128.0.0.1", "0.0.0.0", "::", "[::",
                                  "localhost.example", "127.0.0.1.example", "mylocalhost",
                                  "10.0.0.1"])  # fmt: skip
def test_nothing_else_is_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["platform.adobe.io", "Ims-na1.AdobeLogin.com",
                                  "platform\u3002adobe.io"])  # fmt: skip
def test_hosts_of_adobe_are_known(host: str) -> None:
    assert is_adobe(host)


@pytest.mark.parametrize("host", [None, "", "adobe.io.example", "notadobe.io", "127.0.0.1"])
def test_other_hosts_are_not_of_adobe(host: str | None) -> None:
    assert not is_adobe(host)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://Platform.Adobe.io/x", "https://platform.adobe.io:443"),
        ("HTTP://127.0.0.1", "http://127.0.0.1:80/"),
    ],
)
def test_one_origin_is_written_in_many_ways(one: str, other: str) -> None:
    assert origin_of(one) == origin_of(other) is not None


def test_origins_differ_by_scheme_host_and_port() -> None:
    made = {origin_of(u) for u in ("http://a", "https://a", "http://b", "http://a:81")}
    assert len(made) == 4


@pytest.mark.parametrize("url", ["", "/connections", "http://[::", "http://a:99999"])
def test_what_is_no_absolute_url_has_no_origin(url: str) -> None:
    assert origin_of(url) is None


def test_a_server_of_this_machine_has_another_name() -> None:
    assert other_origin("http://127.0.0.1:4012") == "http://localhost:4012"
    assert other_origin("http://localhost:4012") == "http://127.0.0.1:4012"
    assert other_origin("http://127.0.0.10:4012") == ELSEWHERE


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, ("", "")),
        ("Bearer abc", ("bearer", "abc")),
        ("bEARER   abc ", ("bearer", "abc")),
        ("Bearer", ("bearer", "")),
        ("abc", ("abc", "")),
        ("Basic a b", ("basic", "a b")),
    ],
)
def test_an_authorization_is_a_scheme_and_a_token(value: str | None, read: tuple[str, str]) -> None:
    assert read_authorization(value) == read


@pytest.mark.parametrize("value", ["application/json", "Application/JSON ; charset=utf-8"])
def test_a_media_type_has_no_parameters_and_no_case(value: str) -> None:
    assert media_type(value) == "application/json"
    assert media_type(None) == ""


def test_a_token_is_asked_for_at_ims_unless_there_is_an_origin() -> None:
    assert ims_token_url() == "https://ims-na1.adobelogin.com/ims/token/v3"
    assert ims_token_url("http://127.0.0.1:1") == "http://127.0.0.1:1/ims/token/v3"


@pytest.mark.parametrize(
    "copy",
    [
        r"is_loopback\b(?!\()",
        r"partition\(\";\"\)\[0\]",
        r"authorization.*\.partition\(\" \"\)",
        r"f\"[^\"]*/ims/token/v3",
        r"adobelogin",
        r"\b443\b.*\b80\b|\b80\b.*\b443\b",
    ],
)
def test_nobody_else_decides_it(copy: str) -> None:
    """Each was told in five places and more, and the places did not agree."""
    own = [
        f"{path.relative_to(KIT)}: {line.strip()}"
        for path in sorted(KIT.rglob("*.py"))
        if path.name != "net.py"
        for line in path.read_text("utf-8").splitlines()
        if re.search(copy, line) and "import" not in line and not line.strip().startswith("is_")
    ]
    assert own == []
