"""The httpx2 transport: what passes, what is refused as h11 would, and who else may be open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from aepmock.messages import Request, Response
from aepmock.transports import install
from tests.transports.transport_scene import ADOBE, saying, stranger


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(verify=False) as made:
        yield made


@pytest.mark.parametrize(
    "url",
    [
        ADOBE,
        "https://ims-na1.adobelogin.com/ims/token/v3",
        "https://PLATFORM.Adobe.IO/x",
        "https://platform.adobe.io:8443/x",
        "http://platform-stage.adobe.io/x",
    ],
)
def test_adobes_hosts_reach_the_handler(client: httpx2.Client, url: str) -> None:
    with install("httpx2", saying("mock")):
        assert client.get(url).text == "mock"


def test_other_hosts_pass_through(client: httpx2.Client) -> None:
    async def talk(url: str) -> str:
        async with httpx2.AsyncClient() as other:
            return (await other.get(url)).text

    with stranger() as url, install("httpx2", saying("mock")):
        assert client.get(url).text == "stranger"
        assert asyncio.run(talk(url)) == "stranger"


def test_a_closed_transport_leaves_nothing_behind() -> None:
    methods = (
        httpx2.HTTPTransport.handle_request,
        httpx2.AsyncHTTPTransport.handle_async_request,
    )
    with pytest.raises(KeyError), install("httpx2", saying("mock")):
        raise KeyError
    assert methods == (
        httpx2.HTTPTransport.handle_request,
        httpx2.AsyncHTTPTransport.handle_async_request,
    )


def test_the_transport_opened_last_answers(client: httpx2.Client) -> None:
    with install("httpx2", saying("outer")):
        with install("httpx2", saying("inner")):
            assert client.get(ADOBE).text == "inner"
        assert client.get(ADOBE).text == "outer"


def test_an_error_of_the_handler_reaches_the_caller(client: httpx2.Client) -> None:
    def broken(_: Request) -> Response:
        raise ZeroDivisionError

    with install("httpx2", broken), pytest.raises(ZeroDivisionError):
        client.get(ADOBE)


def test_a_transport_of_the_clients_own_is_left_alone() -> None:
    mine = httpx2.MockTransport(lambda _: httpx2.Response(200, text="mine"))
    with install("httpx2", saying("mock")), httpx2.Client(transport=mine) as other:
        assert other.get(ADOBE).text == "mine"


def test_a_transport_that_builds_on_the_usual_one_comes_through_the_transport() -> None:
    class Counting(httpx2.HTTPTransport):
        count = 0

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            self.count += 1
            return super().handle_request(request)

    mine = Counting()
    with install("httpx2", saying("mock")), httpx2.Client(transport=mine) as other:
        assert other.get(ADOBE).text == "mock"
    assert mine.count == 1


@pytest.mark.parametrize("value", ["dev\r\nx-evil: 1", "dev\n", "dev\0", "\rdev"])
def test_a_value_that_breaks_the_header_is_refused_before_sending(
    client: httpx2.Client, value: str
) -> None:
    with (
        install("httpx2", saying("mock")),
        pytest.raises(httpx2.LocalProtocolError, match="Illegal header value"),
    ):
        client.get(ADOBE, headers={"x-sandbox-name": value})


def test_a_name_that_is_no_token_is_refused_before_sending(client: httpx2.Client) -> None:
    with (
        install("httpx2", saying("mock")),
        pytest.raises(httpx2.LocalProtocolError, match="Illegal header name"),
    ):
        client.get(ADOBE, headers={"x y": "z"})


def test_a_body_in_pieces_arrives_whole(client: httpx2.Client) -> None:
    bodies: list[bytes] = []

    def keep(request: Request) -> Response:
        bodies.append(request.body)
        return Response(200)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"c"
        yield b"d"

    async def talk() -> None:
        async with httpx2.AsyncClient() as other:
            await other.post(ADOBE, content=pieces())

    with install("httpx2", keep):
        client.post(ADOBE, content=iter([b"a", b"b"]))
        asyncio.run(talk())
    assert bodies == [b"ab", b"cd"]


def test_a_target_set_by_hand_is_recorded_as_it_is(client: httpx2.Client) -> None:
    seen: list[str] = []

    def keep(request: Request) -> Response:
        seen.append(request.target)
        return Response(200)

    with install("httpx2", keep):
        client.get(ADOBE, extensions={"target": b'/a"b%2f/../c?{'})
    assert seen == ['/a"b%2f/../c?{']
