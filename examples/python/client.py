"""A client of Flow Service's /connections on Python's standard library alone.

Copy it. The first part is the client; the second makes a program of it that aepmock can judge:

    aepmock judge -- python examples/python/client.py
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

# The client

Kind = TypeVar("Kind")
Pair = tuple[str, "str | int | None"]


class FlowServiceError(Exception):
    """What went wrong, with the HTTP status and the service's code where there are any.

    The text is our own: the service's words may repeat a credential that was sent.
    """

    def __init__(self, why: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(" ".join(str(part) for part in (status, code, why) if part is not None))
        self.status = status
        self.code = code


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would carry the token along to wherever a redirect points."""

    def redirect_request(self, *_: object) -> None:
        return None


class Answer:
    """A 2xx answer. What the documentation promises of it is asked for by name and kind."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        try:
            self.document = read_json(body)
        except ValueError:
            raise self.problem("the answer is not JSON") from None

    def get(self, key: str, kind: type[Kind]) -> Kind:
        found = self.document.get(key) if isinstance(self.document, dict) else None
        # To Python, True is an int as well.
        if isinstance(found, kind) and isinstance(found, bool) == (kind is bool) and found != "":
            return found
        raise self.problem(f"the answer has no {key}")

    def problem(self, why: str) -> FlowServiceError:
        return FlowServiceError(why, self.status)


class Connections:
    """The operations on connections. Made anew for each settings: it shares nothing."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.base = settings["base_url"].rstrip("/")
        self.timeout_s = settings["timeout_s"]
        self.headers = {
            "Authorization": f"Bearer {settings['access_token']}",
            "x-api-key": settings["api_key"],
            "x-gw-ims-org-id": settings["ims_org_id"],
            "x-sandbox-name": settings["sandbox_name"],
        }
        tls = urllib.request.HTTPSHandler(context=trust(settings.get("ca_file")))
        self.opener = urllib.request.build_opener(NoRedirect, tls)

    def create_connection(self, connection: Mapping[str, Any]) -> dict[str, Any]:
        spec = {"id": connection["connection_spec_id"]}
        body = {"name": connection["name"], "connectionSpec": spec}
        # What the caller did not give is left out: null is not allowed.
        if connection.get("description") is not None:
            body["description"] = connection["description"]
        if connection.get("connection_spec_version") is not None:
            spec["version"] = connection["connection_spec_version"]
        if connection.get("auth_spec_name") is not None:
            body["auth"] = {
                "specName": connection["auth_spec_name"],
                "params": connection["auth_params"],
            }
        # Sent once: to repeat a POST whose answer was lost could make a second connection.
        answer = self.ask("POST", self.url(), body)
        return {"id": answer.get("id", str), "etag": etag_of(answer)}

    def get_connection(self, connection_id: str) -> dict[str, Any]:
        answer = self.ask("GET", self.url(connection_id))
        items = answer.get("items", list)  # one connection comes as a list of one
        if len(items) != 1 or not isinstance(items[0], dict):
            raise answer.problem("the answer does not hold one connection")
        return items[0]

    def list_connections(
        self,
        limit: int | None = None,
        property: Sequence[str] = (),
        orderby: str | None = None,
    ) -> list[dict[str, Any]]:
        pairs: list[Pair] = [("property", text) for text in property]
        pairs += [("limit", limit), ("orderby", orderby)]
        items: list[dict[str, Any]] = []
        seen: set[str] = set()
        url: str | None = self.url(query=pairs)
        while url is not None:
            if url in seen:
                raise FlowServiceError("the next link leads in a circle")
            seen.add(url)
            answer = self.ask("GET", url)
            items += answer.get("items", list)
            if not all(isinstance(item, dict) for item in items):
                raise answer.problem("an item of the list is no object")
            url = self.next_url(answer)  # an empty page is not the end, a missing link is
        return items

    def count_connections(self, property: Sequence[str] = ()) -> int:
        # Never with a limit: the service refuses the two together.
        pairs = [("count", "true"), *(("property", text) for text in property)]
        return self.ask("GET", self.url(query=pairs)).get("count", int)

    def update_connection(
        self, connection_id: str, etag: str | None, operations: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        # The etag as it came, its double quotes are part of it. After a 412 someone else was
        # faster: the caller has to look at the connection again.
        if etag is None:
            raise FlowServiceError("an update needs the etag of the connection")
        answer = self.ask("PATCH", self.url(connection_id), operations, etag)
        if not isinstance(answer.document, dict) or not answer.document.keys() & {"id", "etag"}:
            raise answer.problem("the answer has neither id nor etag")
        return {"id": answer.document.get("id"), "etag": etag_of(answer)}

    def delete_connection(self, connection_id: str) -> None:
        self.send("DELETE", self.url(connection_id))

    def test_connection(self, connection_id: str) -> bool:
        # A credential that does not work is a 200 with false.
        return self.ask("GET", self.url(connection_id, "test")).get("result", bool)

    def explore_connection(
        self,
        connection_id: str,
        object_type: str,
        object: str | None = None,
        file_type: str | None = None,
        preview: bool | None = None,
        source_params: Mapping[str, Any] | None = None,
    ) -> Any:
        pairs: list[Pair] = [
            ("objectType", object_type),
            ("object", object),
            ("fileType", file_type),
        ]
        if preview is not None:
            pairs.append(("preview", "true" if preview else "false"))
        if source_params is not None:
            encoded = base64.b64encode(write_json(source_params)).decode("ascii")
            pairs.append(("sourceParams", encoded))
        answer = self.ask("GET", self.url(connection_id, "explore", query=pairs))
        if not isinstance(answer.document, (dict, list)):
            raise answer.problem("the answer is neither object nor array")
        return answer.document

    def url(self, *segments: str, query: Iterable[Pair] = ()) -> str:
        # quote() lets dots stand, and a server would read . and .. as steps in the path.
        if any(segment in ("", ".", "..") for segment in segments):
            raise FlowServiceError("this connection id can't be written in a path")
        path = "/".join(["connections", *(quote(segment, safe="") for segment in segments)])
        pairs = "&".join(f"{n}={quote(str(v), safe='')}" for n, v in query if v is not None)
        return f"{self.base}/{path}" + (f"?{pairs}" if pairs else "")

    def next_url(self, answer: Answer) -> str | None:
        """The URL of the next page, or None on the last one.

        A link is relative to the base path, not to the host, and never leads to another host:
        the token would go with it.
        """
        href = answer.document
        for key in ("_links", "next", "href"):
            href = href.get(key) if isinstance(href, dict) else None
        if href is None or href == "":
            return None
        if not isinstance(href, str):
            raise answer.problem("the next link is no text")
        try:
            url = urljoin(self.base + "/connections", href)
            if href.startswith("/") and not href.startswith("//"):
                url = self.base + href
            # As in url(), but what is percent-encoded already stays as it is.
            url = quote(url, safe=":/?#[]@!$&'()*+,;=%")
            if urlsplit(url)[:2] == urlsplit(self.base)[:2]:
                return url
        except ValueError:
            pass
        raise answer.problem("the next link leads elsewhere")

    def ask(self, method: str, url: str, body: Any = None, etag: str | None = None) -> Answer:
        return Answer(*self.send(method, url, body, etag))

    def send(
        self, method: str, url: str, body: Any = None, etag: str | None = None
    ) -> tuple[int, bytes]:
        """Sends one request; the status and the octets of its answer, if that is a 2xx."""
        headers = {**self.headers, "Accept": "application/json"}
        data = None
        if etag is not None:
            headers["If-Match"] = etag
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = write_json(body)
        for name, value in headers.items():
            # A line break would begin another header. Octets beyond ASCII mean what the server
            # likes, and blanks at the ends get lost.
            if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
                raise FlowServiceError(f"the value for {name} can't be sent in a header")
        request = urllib.request.Request(url, data, headers, method=method)
        status = None
        try:
            try:
                response = self.opener.open(request, timeout=self.timeout_s)
            except urllib.error.HTTPError as error:
                response = error  # every status that is no 2xx; it reads like an answer
            with response:
                status = response.status
                octets = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise FlowServiceError(f"no whole answer: {type(error).__name__}", status) from None
        if not 200 <= status <= 299:
            raise FlowServiceError("the request was refused", status, code_of(octets))
        return status, octets


@cache
def trust(ca_file: str | None) -> ssl.SSLContext:
    """Verifies certificates against the given CA, or the usual ones; slow to make, so kept."""
    return ssl.create_default_context(cafile=ca_file)


def etag_of(answer: Answer) -> str | None:
    """The etag as it came, or None: some answers have none."""
    return None if answer.document.get("etag") is None else answer.get("etag", str)


def code_of(octets: bytes) -> str | None:
    """The service's code: FLOW-1404-412 in its own errors, 403010 in the gateway's."""
    try:
        document = read_json(octets)
    except ValueError:
        return None  # empty, HTML, broken off: the status has to do
    if not isinstance(document, dict):
        return None
    match = re.search(r"/(FLOW-[^/]+)$", str(document.get("type")))
    code = match[1] if match else document.get("error_code")
    return None if code is None else str(code)


def read_json(octets: bytes) -> Any:
    """The value in octets. Raises ValueError for all that is not JSON in UTF-8."""
    try:
        return json.loads(octets.decode("utf-8"), parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def refuse_constant(name: str) -> None:
    """NaN and Infinity are Python's own addition to JSON."""
    raise ValueError(f"{name} is not JSON")


def write_json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode("ascii")


# The program: a line of JSON on stdin asks, a line of JSON on stdout answers

OPERATIONS = (
    "create_connection",
    "get_connection",
    "list_connections",
    "count_connections",
    "update_connection",
    "delete_connection",
    "test_connection",
    "explore_connection",
)


def main() -> None:
    # Only answers may stand on stdout: what anything prints goes to stderr, the log.
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    for line in sys.stdin.buffer:  # octets, so that a line ends at LF and nowhere else
        try:
            request = read_json(line)
            request_id, operation = request["id"], request["op"]
        except (ValueError, TypeError, LookupError):
            request_id, operation, reply = None, None, described(FlowServiceError("no request"))
        else:
            reply = replied(operation, request)
        out.write(write_json({"id": request_id, **reply}) + b"\n")
        out.flush()  # whoever asked waits for this line
        if operation == "bye":
            return


def replied(operation: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """The result or the error of a request, which is never the end of the program."""
    try:
        if operation == "hello":
            return {"result": {"name": "Python example", "operations": OPERATIONS}}
        if operation == "bye":
            return {"result": None}
        if operation not in OPERATIONS:
            raise FlowServiceError(f"no operation is called {operation}")
        # A client for each call: the settings may change from call to call.
        client = Connections(request["settings"])
        return {"result": getattr(client, operation)(**request["args"])}
    except Exception as error:
        return described(error)


def described(error: Exception) -> dict[str, Any]:
    if not isinstance(error, FlowServiceError):
        error = FlowServiceError(f"{type(error).__name__} in the client")
    return {"error": {"status": error.status, "code": error.code, "message": str(error)}}


if __name__ == "__main__":
    main()
