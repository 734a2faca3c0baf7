"""The httpx transport: what passes, what is refused as h11 would, and who else may be open."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator

import h11
import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from aepmock.messages import Request, Response
from aepmock.transports import http_rules, install
from tests.transports.transport_scene import ADOBE, saying, stranger


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(verify=False) as made:
        yield made


@pytest.mark.parametrize(
    "url",
    [
        ADOBE,
        "https://ims-na1.adobelogin.com/ims/token/v3",
        "https://PLATFORM.Adobe.IO/x",
        "https://platform.adobe.io:8443/x",
        "http://platform-stage.adobe.io/x",
        "https://user:word@platform.adobe.io/x",
        "https://adobe.io/",
    ],
)
def test_adobes_hosts_reach_the_handler(client: httpx.Client, url: str) -> None:
    with install("httpx", saying("mock")):
        assert client.get(url).text == "mock"


def test_other_hosts_pass_through(client: httpx.Client) -> None:
    with stranger() as url, install("httpx", saying("mock")):
        assert client.get(url).text == "stranger"
        assert client.get(f"{url}?x=https://platform.adobe.io/").text == "stranger"


def test_a_closed_transport_leaves_nothing_behind(client: httpx.Client) -> None:
    from respx.mocks import HTTPCoreMocker

    with pytest.raises(KeyError), install("httpx", saying("mock")):
        raise KeyError
    assert HTTPCoreMocker.routers == []
    with stranger() as url:
        assert client.get(url).text == "stranger"


def test_the_transport_opened_last_answers(client: httpx.Client) -> None:
    with install("httpx", saying("outer")):
        with install("httpx", saying("inner")):
            assert client.get(ADOBE).text == "inner"
        assert client.get(ADOBE).text == "outer"


def test_an_error_of_the_handler_reaches_the_caller(client: httpx.Client) -> None:
    def broken(_: Request) -> Response:
        raise ZeroDivisionError

    with install("httpx", broken), pytest.raises(ZeroDivisionError):
        client.get(ADOBE)


def mocks_beside(mine: respx.MockRouter) -> None:
    mine.get("https://example.org/").respond(text="mine")
    mine.get("https://platform.adobe.io/data/foundation/schemaregistry/").respond(text="registry")


def check_beside(client: httpx.Client) -> None:
    assert client.get("https://example.org/").text == "mine"
    assert (
        client.get("https://platform.adobe.io/data/foundation/schemaregistry/").text == "registry"
    )
    assert client.get(ADOBE).text == "mock"
    with pytest.raises(AssertionError, match="not mocked"):
        client.get("https://example.net/")


def test_a_respx_mock_inside_the_transport_keeps_working(client: httpx.Client) -> None:
    with install("httpx", saying("mock")), respx.mock() as mine:
        mocks_beside(mine)
        check_beside(client)
        assert mine.calls.call_count == 2


def test_a_respx_mock_around_the_transport_keeps_working(client: httpx.Client) -> None:
    with respx.mock(assert_all_called=False) as mine, install("httpx", saying("mock")):
        mocks_beside(mine)
        check_beside(client)


def test_a_respx_mock_that_answers_everything_leaves_adobes_hosts_to_the_transport(
    client: httpx.Client,
) -> None:
    with respx.mock(assert_all_mocked=False), install("httpx", saying("mock")):
        assert client.get("https://example.org/").text == ""
        assert client.get(ADOBE).text == "mock"
    with install("httpx", saying("mock")), respx.mock(assert_all_mocked=False):
        assert client.get(ADOBE).text == "mock"


def test_a_respx_mock_beside_the_transport_serves_async_clients() -> None:
    async def talk() -> list[str]:
        async with httpx.AsyncClient(verify=False) as client:
            urls = ("https://example.org/", ADOBE)
            return [(await client.get(url)).text for url in urls]

    with install("httpx", saying("mock")), respx.mock(assert_all_called=False) as mine:
        mocks_beside(mine)
        assert asyncio.run(talk()) == ["mine", "mock"]


def test_memory_does_not_grow_with_the_calls(client: httpx.Client) -> None:
    body = b"x" * 100_000
    with install("httpx", lambda _: Response(200, body=body)):
        for _ in range(50):
            client.get(ADOBE)
        tracemalloc.start()
        try:
            for _ in range(400):
                client.post(ADOBE, content=body)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # Four hundred answers of 100 kB would be 40 MB.
    assert grown < 2_000_000


@pytest.mark.parametrize("value", ["dev\r\nx-evil: 1", "dev\n", "dev\0", "\rdev"])
def test_a_value_that_breaks_the_header_is_refused_before_sending(
    client: httpx.Client, value: str
) -> None:
    seen: list[Request] = []

    def keep(request: Request) -> Response:
        seen.append(request)
        return Response(200)

    with (
        install("httpx", keep),
        pytest.raises(httpx.LocalProtocolError, match="Illegal header value"),
    ):
        client.get(ADOBE, headers={"x-sandbox-name": value})
    assert seen == []


def test_a_name_that_is_no_token_is_refused_before_sending(client: httpx.Client) -> None:
    with (
        install("httpx", saying("mock")),
        pytest.raises(httpx.LocalProtocolError, match="Illegal header name"),
    ):
        client.get(ADOBE, headers={"x y": "z"})


@given(st.binary(max_size=6), st.binary(min_size=1, max_size=4))
def test_names_and_values_are_judged_as_h11_judges_them(value: bytes, name: bytes) -> None:
    def h11_takes(field: tuple[bytes, bytes]) -> bool:
        try:
            h11.Request(method="GET", target="/", headers=[(b"host", b"x"), field])
        except h11.LocalProtocolError:
            return False
        return True

    assert h11_takes((b"x", value)) == bool(http_rules.FIELD_VALUE.fullmatch(value))
    # These two mean something to h11 itself.
    if name.lower() not in (b"content-length", b"transfer-encoding"):
        assert h11_takes((name, b"x")) == bool(http_rules.FIELD_NAME.fullmatch(name))


def test_fields_are_recorded_in_order_and_case_with_duplicates(client: httpx.Client) -> None:
    seen: list[Request] = []

    def keep(request: Request) -> Response:
        seen.append(request)
        return Response(200)

    with install("httpx", keep):
        client.get(ADOBE, headers=[("X-B", "1"), ("x-a", "2"), ("X-b", "3")])
    own = [field for field in seen[0].headers if field[0].lower().startswith("x-")]
    assert own == [("X-B", "1"), ("x-a", "2"), ("X-b", "3")]


def test_a_body_in_pieces_arrives_whole(client: httpx.Client) -> None:
    bodies: list[bytes] = []

    def keep(request: Request) -> Response:
        bodies.append(request.body)
        return Response(200)

    with install("httpx", keep):
        client.post(ADOBE, content=iter([b"a", b"b"]))
        client.post(ADOBE, files={"f": b"c"})
    assert bodies[0] == b"ab"
    assert b"\r\nc\r\n" in bodies[1]


def test_a_target_set_by_hand_is_recorded_as_it_is(client: httpx.Client) -> None:
    seen: list[str] = []

    def keep(request: Request) -> Response:
        seen.append(request.target)
        return Response(200)

    with install("httpx", keep):
        client.get(ADOBE, extensions={"target": b'/a"b%2f/../c?{'})
    assert seen == ['/a"b%2f/../c?{']
