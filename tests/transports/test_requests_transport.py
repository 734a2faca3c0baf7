"""The requests transport: what passes, what http.client would refuse, and who else may be open."""

from __future__ import annotations

import io
import tracemalloc

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from aepmock.messages import Headers, Request, Response
from aepmock.transports import install
from tests.transports.transport_scene import ADOBE, saying, stranger

REGISTRY = "https://platform.adobe.io/data/foundation/schemaregistry/"


@pytest.mark.parametrize(
    "url",
    [
        ADOBE,
        "https://ims-na1.adobelogin.com/ims/token/v3",
        "https://PLATFORM.Adobe.IO/x",
        "https://platform.adobe.io:8443/x",
        "https://user:word@platform.adobe.io/x",
    ],
)
def test_adobes_hosts_reach_the_handler(url: str) -> None:
    with install("requests", saying("mock")):
        assert requests.get(url, timeout=5).text == "mock"


def test_other_hosts_pass_through() -> None:
    with stranger() as url, install("requests", saying("mock")):
        assert requests.get(url, timeout=5).text == "stranger"
        query = f"{url}?x=https://platform.adobe.io/&y=.adobe.io/"
        assert requests.get(query, timeout=5).text == "stranger"


def test_a_closed_transport_leaves_nothing_behind() -> None:
    send = HTTPAdapter.send
    start = responses.RequestsMock.unbound_on_send
    with pytest.raises(KeyError), install("requests", saying("mock")):
        raise KeyError
    assert HTTPAdapter.send is send
    assert responses.RequestsMock.unbound_on_send is start


def test_the_transport_opened_last_answers() -> None:
    with install("requests", saying("outer")):
        with install("requests", saying("inner")):
            assert requests.get(ADOBE, timeout=5).text == "inner"
        assert requests.get(ADOBE, timeout=5).text == "outer"


def test_an_error_of_the_handler_reaches_the_caller() -> None:
    def broken(_: Request) -> Response:
        raise ZeroDivisionError

    with install("requests", broken), pytest.raises(ZeroDivisionError):
        requests.get(ADOBE, timeout=5)


def test_a_mock_inside_the_transport_answers_for_what_it_names() -> None:
    with install("requests", saying("mock")), responses.RequestsMock() as mine:
        mine.get("https://example.org/", body="mine")
        mine.get(
            REGISTRY, body="registry", match=[responses.matchers.query_param_matcher({"a": "b"})]
        )
        assert requests.get("https://example.org/", timeout=5).text == "mine"
        assert requests.get(f"{REGISTRY}?a=b", timeout=5).text == "registry"
        assert requests.get(REGISTRY, timeout=5).text == "mock"
        assert requests.get(ADOBE, timeout=5).text == "mock"
        assert len(mine.calls) == 2
        with pytest.raises(requests.ConnectionError, match="refused by Responses"):
            requests.get("https://example.net/", timeout=5)


@responses.activate
def test_a_mock_around_the_transport_answers_for_other_hosts() -> None:
    responses.get("https://example.org/", body="mine")
    with install("requests", saying("mock")):
        assert requests.get("https://example.org/", timeout=5).text == "mine"
        assert requests.get(ADOBE, timeout=5).text == "mock"
        with pytest.raises(requests.ConnectionError, match="refused by Responses"):
            requests.get("https://example.net/", timeout=5)


def test_several_mocks_inside_each_other_and_the_transport_keep_their_own() -> None:
    with (
        responses.RequestsMock() as outer,
        install("requests", saying("mock")),
        responses.RequestsMock() as inner,
    ):
        outer.add_passthru("https://example.org/")
        inner.get("https://example.org/", body="inner")
        assert requests.get("https://example.org/", timeout=5).text == "inner"
        assert requests.get(ADOBE, timeout=5).text == "mock"


def test_memory_does_not_grow_with_the_calls() -> None:
    body = b"x" * 100_000
    with install("requests", lambda _: Response(200, body=body)), requests.Session() as session:
        for _ in range(20):
            session.get(ADOBE)
        tracemalloc.start()
        try:
            for _ in range(200):
                session.post(ADOBE, data=body)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert grown < 2_000_000


def test_a_value_that_http_client_refuses_is_refused_before_sending() -> None:
    seen: list[Request] = []

    def keep(request: Request) -> Response:
        seen.append(request)
        return Response(200)

    with install("requests", keep), requests.Session() as session:
        prepared = requests.Request("GET", ADOBE).prepare()
        prepared.headers["x-sandbox-name"] = "dev\r\nx-evil: 1"
        with pytest.raises(ValueError, match="Invalid header value"):
            session.send(prepared)
        prepared.headers["x-sandbox-name"] = "пример"
        with pytest.raises(UnicodeEncodeError):
            session.send(prepared)
        # InvalidHeader of a newer requests, else the ValueError of http.client.
        with pytest.raises(ValueError, match="header value"):
            session.get(ADOBE, headers={"x-sandbox-name": "dev\n"})
    assert seen == []


def test_bodies_of_every_kind_arrive_as_bytes() -> None:
    bodies: list[bytes] = []

    def keep(request: Request) -> Response:
        bodies.append(request.body)
        return Response(200)

    with install("requests", keep), requests.Session() as session:
        for data in ("ü", b"\xff", io.BytesIO(b"file"), iter([b"a", b"b"]), {"k": "v"}, None):
            session.post(ADOBE, data=data)
        session.post(ADOBE, json={"a": "ü"})
    assert bodies == [
        "ü".encode(), b"\xff", b"file", b"ab", b"k=v", b"", b'{"a": "\\u00fc"}',
    ]  # fmt: skip


def test_the_retries_of_an_adapter_are_carried_out() -> None:
    statuses = iter([503, 503, 200])
    with (
        install("requests", lambda _: Response(next(statuses))),
        requests.Session() as session,
    ):
        retry = Retry(3, status_forcelist=[503], backoff_factor=0)
        session.mount("https://", HTTPAdapter(max_retries=retry))
        assert session.get(ADOBE).status_code == 200


def test_redirects_are_followed_through_the_transport_and_out_of_it() -> None:
    with stranger() as url:

        def redirecting(request: Request) -> Response:
            place = "/x" if request.path != "/x" else url
            return Response(302, Headers([("Location", place)]))

        with install("requests", redirecting):
            response = requests.get(ADOBE, timeout=5)
    assert response.text == "stranger"
    assert len(response.history) == 2


def test_cookies_of_an_answer_are_kept() -> None:
    headers = Headers([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    with install("requests", lambda _: Response(200, headers)), requests.Session() as session:
        session.get(ADOBE)
        assert dict(session.cookies) == {"a": "1", "b": "2"}


def test_a_method_that_nobody_knows_reaches_the_handler() -> None:
    with install("requests", lambda r: Response(200, body=r.method.encode())):
        assert requests.request("PURGE", ADOBE, timeout=5).text == "PURGE"
