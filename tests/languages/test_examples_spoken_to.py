"""The example programs, asked by hand for what the suite does not ask, and users will copy."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aepmock import Headers, Request, Response
from aepmock.transports.server import serving
from tests.languages.programs import EXAMPLES, Spoken, speaking
from tests.server.running import Running
from tests.server.running import running as running_server

BASE_PATH = "/data/foundation/flowservice"
JSON = Headers([("Content-Type", "application/json")])


@pytest.fixture(scope="module", params=list(EXAMPLES))
def running(request: pytest.FixtureRequest) -> Iterator[Spoken]:
    with speaking(EXAMPLES[request.param].command()) as spoken:
        yield spoken


@pytest.fixture
def program(running: Spoken) -> Iterator[Spoken]:
    before = dict(running.settings)
    yield running
    running.settings = before


@contextmanager
def answering(program: Spoken, *answers: Response) -> Iterator[list[Request]]:
    """The program's service gives these answers in turn; yields what it was asked."""
    asked: list[Request] = []
    waiting = iter(answers)

    def handle(request: Request) -> Response:
        asked.append(request)
        return next(waiting)

    with serving(handle) as server:
        program.settings["base_url"] = server.origin + BASE_PATH
        yield asked


@contextmanager
def raw_service(program: Spoken, talk: Callable[[socket.socket], None]) -> Iterator[None]:
    """The program's service is a bare socket: `talk` does what it likes with one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            made, _ = listener.accept()
            with made:
                made.recv(65536)
                talk(made)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        program.settings["base_url"] = f"http://127.0.0.1:{listener.getsockname()[1]}{BASE_PATH}"
        yield
        thread.join(10)


def json_answer(document: Any) -> Response:
    return Response(200, JSON, json.dumps(document).encode())


def page(next_href: str | None = None) -> Response:
    links = {} if next_href is None else {"next": {"href": next_href}}
    return json_answer({"items": [{"id": "1"}], "_links": links})


def test_a_line_that_is_no_request_is_answered_with_the_id_null(program: Spoken) -> None:
    for line in (b"", b"{", b"[1]", b"\xff\xfe", b'"text"'):
        reply = program.write(line)
        assert reply["id"] is None
        assert reply["error"].keys() == {"status", "code", "message"}


@pytest.mark.parametrize("name", ["no_such_operation", "constructor", "toString", "url", "send"])
def test_an_operation_that_does_not_exist_is_an_error(program: Spoken, name: str) -> None:
    program.settings["base_url"] = "http://127.0.0.1:9"
    assert program.error(name) == {
        "status": None,
        "code": None,
        "message": f"no operation is called {name}",
    }


def test_a_line_ends_at_lf_and_nowhere_else(program: Spoken) -> None:
    name = "a\u2028b\u2029c\u0085d"
    with answering(program, json_answer({"items": [{"id": "1", "name": name}]})) as asked:
        reply = program.ask("list_connections", property=[f"name=={name}"])
    assert reply == {"result": [{"id": "1", "name": name}]}
    assert asked[0].parameters("property") == (f"name=={name}",)


def test_texts_that_a_shell_would_spoil_arrive_whole(program: Spoken) -> None:
    name = "nul \0 tab \t line\r\n\\ \\n \\u0041 \" ' $(date) `date` @file 日本 \U0001f469"
    connection = {
        "name": name,
        "description": None,
        "connection_spec_id": "spec",
        "connection_spec_version": None,
        "auth_spec_name": "Basic Authentication",
        "auth_params": {"port": 9007199254740991, "flag": False, "none": None, name: name},
    }
    with answering(program, json_answer({"id": "1", "etag": '"e"'})) as asked:
        reply = program.ask("create_connection", connection=connection)
    assert reply == {"result": {"id": "1", "etag": '"e"'}}
    assert asked[0].json == {
        "name": name,
        "connectionSpec": {"id": "spec"},
        "auth": {"specName": "Basic Authentication", "params": connection["auth_params"]},
    }


def test_each_call_uses_its_own_settings(program: Spoken) -> None:
    with answering(program, page(), page()) as asked:
        program.ask("list_connections")
        program.settings["access_token"] = "hush-another-token"
        program.settings["sandbox_name"] = "prod"
        program.ask("list_connections")
    assert [r.headers.get("authorization") for r in asked] == [
        "Bearer hush-access-token",
        "Bearer hush-another-token",
    ]
    assert [r.headers.get("x-sandbox-name") for r in asked] == ["dev", "prod"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(program: Spoken, status: int) -> None:
    headers = Headers([("Location", BASE_PATH + "/connections/elsewhere")])
    with answering(program, Response(status, headers), page()) as asked:
        assert program.error("get_connection", connection_id="1")["status"] == status
    assert len(asked) == 1


@pytest.mark.parametrize(
    "href",
    [
        "http://127.0.0.1:9/data/foundation/flowservice/connections?continuationToken=a",
        "//127.0.0.1:9/data/foundation/flowservice/connections?continuationToken=a",
        "http://user@127.0.0.1:9/connections?continuationToken=a",
        "file:///etc/hostname",
        "javascript:alert(1)",
        17,
    ],
)
def test_a_next_link_to_another_place_is_an_error(program: Spoken, href: str) -> None:
    with answering(program, page(href)) as asked:
        assert program.error("list_connections")["status"] == 200
    assert len(asked) == 1


@pytest.mark.parametrize(
    "href",
    [
        "/connections?continuationToken=a%2Fb",
        "?continuationToken=a%2Fb",
        "ORIGIN/data/foundation/flowservice/connections?continuationToken=a%2Fb",
    ],
)
def test_a_next_link_is_followed_however_it_is_written(program: Spoken, href: str) -> None:
    asked: list[Request] = []

    def handle(request: Request) -> Response:
        asked.append(request)
        return page(href.replace("ORIGIN", request.origin)) if len(asked) == 1 else page()

    with serving(handle) as server:
        program.settings["base_url"] = server.origin + BASE_PATH
        assert program.ask("list_connections") == {"result": [{"id": "1"}, {"id": "1"}]}
    assert asked[1].target == BASE_PATH + "/connections?continuationToken=a%2Fb"


def test_an_answer_that_never_comes_is_given_up(program: Spoken) -> None:
    program.settings["timeout_s"] = 0.3
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program.settings["base_url"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert program.error("get_connection", connection_id="1")["status"] is None


def test_an_answer_that_stops_in_the_middle_is_given_up(program: Spoken) -> None:
    program.settings["timeout_s"] = 0.3
    over = threading.Event()

    def talk(made: socket.socket) -> None:
        made.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items":')
        over.wait(10)

    with raw_service(program, talk):
        assert program.error("get_connection", connection_id="1")["code"] is None
        over.set()


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items":[{"id":"1"}]}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n17\r\n{"items":[{"id":"1"}]} \r\n',
    ],
)
def test_an_answer_that_breaks_off_is_an_error_with_its_status(
    program: Spoken, answer: bytes
) -> None:
    with raw_service(program, lambda made: made.sendall(answer)):
        assert program.error("get_connection", connection_id="1")["status"] == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"count":NaN}',
        b'{"count":nan}',
        b'{"count":Infinity}',
        b'{"count":1.5}',
        b'{"count":true}',
        b'{"count":"1"}',
        b'{"count":null}',
        b'{"count":1} x',
        b'{"count":1}{"count":2}',
        b"{'count':1}",
        b"[" * 100_000,
        b"",
    ],
)
def test_an_answer_that_is_not_what_is_documented_is_an_error(program: Spoken, body: bytes) -> None:
    with answering(program, Response(200, JSON, body)):
        assert program.error("count_connections")["status"] == 200


@pytest.mark.parametrize(
    ("operation", "document"),
    [
        ("create_connection", {"id": ""}),
        ("create_connection", {"id": 5}),
        ("create_connection", {"id": "1", "etag": 5}),
        ("get_connection", {"items": [5]}),
        ("get_connection", {"items": [{}, {}]}),
        ("list_connections", {"items": [None]}),
        ("list_connections", {"items": {}}),
        ("update_connection", {"etag": 5}),
        ("test_connection", {"result": "true"}),
        ("explore_connection", "text"),
    ],
)
def test_a_field_of_another_kind_is_an_error(
    program: Spoken, operation: str, document: Any
) -> None:
    args: dict[str, Any] = {"connection_id": "1", "etag": '"e"', "operations": []}
    if operation == "create_connection":
        args = {"connection": {"name": "a", "connection_spec_id": "s", "auth_spec_name": None}}
    elif operation == "list_connections":
        args = {}
    elif operation == "explore_connection":
        args = {"connection_id": "1", "object_type": "root"}
    elif operation != "update_connection":
        args = {"connection_id": "1"}
    with answering(program, json_answer(document)):
        assert program.error(operation, **args)["status"] == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "https://ns.adobe.com/aep/errors/FLOW-1404-412"}, "FLOW-1404-412"),
        ({"error_code": "403010", "message": "hush-access-token"}, "403010"),
        ({"error_code": 403010}, "403010"),
        ({"type": "/placeholder/type/uri", "detail": "hush-access-token"}, None),
        ({"type": 5}, None),
        ([], None),
    ],
)
def test_the_code_of_a_refusal_is_reported_and_its_words_are_not(
    program: Spoken, body: Any, code: str | None
) -> None:
    with answering(program, Response(403, JSON, json.dumps(body).encode())):
        error = program.error("delete_connection", connection_id="1")
    assert (error["status"], error["code"]) == (403, code)


@pytest.mark.parametrize("connection_id", ["", ".", ".."])
def test_an_id_that_no_path_can_hold_is_refused_unsent(program: Spoken, connection_id: str) -> None:
    with answering(program) as asked:
        for operation in ("get_connection", "delete_connection", "test_connection"):
            assert program.error(operation, connection_id=connection_id)["status"] is None
    assert asked == []


UNSENDABLE = ["a\r\nx-evil: 1", "a\nb", "a\0", "é", "\u4e00", "a\t"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (f, v)
            for f in ("sandbox_name", "api_key", "ims_org_id")
            for v in [*UNSENDABLE, " a", ""]
        ),
        *(("access_token", value) for value in UNSENDABLE),
    ],
)
def test_a_value_that_no_header_can_hold_is_refused_unsent(
    program: Spoken, field: str, value: str
) -> None:
    program.settings[field] = value
    with answering(program) as asked:
        assert program.error("count_connections")["status"] is None
    assert asked == []


def test_an_etag_is_sent_as_it_came_and_a_missing_one_is_refused(program: Spoken) -> None:
    rename = [{"op": "replace", "path": "/name", "value": "b"}]
    with answering(program, json_answer({"id": "1", "etag": '"f"'})) as asked:
        for etag in (None, "", '"e"\r\nx-evil: 1'):
            args = {"connection_id": "1", "etag": etag, "operations": rename}
            assert program.error("update_connection", **args)["status"] is None
        args = {"connection_id": "1", "etag": 'W/"e\\"', "operations": rename}
        assert program.ask("update_connection", **args) == {"result": {"id": "1", "etag": '"f"'}}
    assert [r.headers.all("if-match") for r in asked] == [('W/"e\\"',)]
    assert asked[0].json == rename


@pytest.fixture(scope="module")
def secure() -> Iterator[Running]:
    with running_server("--tls") as server:
        yield server


def test_the_certificate_is_verified_by_the_ca_that_was_given(
    program: Spoken, secure: Running
) -> None:
    ca_file = secure.ready["ca_file"]
    program.settings["base_url"] = secure.ready["base_url"]
    assert program.error("list_connections")["status"] is None
    program.settings["ca_file"] = ca_file
    answer = program.ask("list_connections")
    if "error" in answer and "client.mjs" in str(program.process.args):
        # An older Node can't be told later, and says so.
        assert f"NODE_EXTRA_CA_CERTS={ca_file}" in answer["error"]["message"]
        with speaking(EXAMPLES["node"].command(), NODE_EXTRA_CA_CERTS=ca_file) as fresh:
            fresh.settings.update(program.settings)
            answer = fresh.ask("list_connections")
    assert answer == {"result": []}


def test_no_credential_stands_in_an_argument_of_a_process(program: Spoken) -> None:
    seen: list[str] = []

    def handle(_: Request) -> Response:
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(file.read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue  # a process that has just ended
        return page()

    if not Path("/proc/self/cmdline").exists():
        pytest.skip("this system has no /proc")
    with serving(handle) as server:
        program.settings["base_url"] = server.origin
        program.ask("list_connections")
    assert seen
    assert not [line for line in seen if "hush-access-token" in line]
