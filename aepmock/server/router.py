"""Where a request of `aepmock serve` goes: to a mock, to its control API, or to the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from urllib.parse import unquote

from aepmock.errors import UsageError
from aepmock.judge.judging import Observation
from aepmock.messages import Headers, Request, Response
from aepmock.net import other_origin
from aepmock.server import control
from aepmock.server.access import READING, Guard
from aepmock.server.events import events, last_seen
from aepmock.server.instances import MockInstance, MockInstances, TooMany
from aepmock.server.problems import SAFE, Rejected, document, problem
from aepmock.transports.server import Later, Stream

CONTROL = "/__aepmock__"
PREFIX = "/t/"
MOST_STREAMS = 64
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
FOR_BROWSERS = ("/", "/favicon.ico")
"""Paths that a browser asks for by itself, in front of what a client has a base URL for."""
FILES = {
    "/": ("page/index.html", "text/html; charset=utf-8"),
    "/page.css": ("page/page.css", "text/css; charset=utf-8"),
    "/page.js": ("page/page.js", "text/javascript; charset=utf-8"),
    "/openapi.json": ("openapi.json", "application/json"),
}


class Router:
    """The handler of the whole server."""

    def __init__(self, instances: MockInstances, guard: Guard) -> None:
        self.instances = instances
        self.guard = guard
        self.streams = 0

    def handle(self, request: Request) -> Response:
        """The answer to any request: never an exception, never a 5xx of its own."""
        try:
            return self._route(request)
        except Rejected as rejected:
            return problem(rejected)
        except TooMany as error:
            return problem(Rejected(429, str(error)))
        except UsageError as error:
            return problem(Rejected(400, str(error)))

    def _route(self, request: Request) -> Response:
        self.guard.check_site(request)
        name, target = _split(request.target)
        path = target.partition("?")[0]
        if path == CONTROL or path.startswith(f"{CONTROL}/"):
            return self._control(name, path.removeprefix(CONTROL), request)
        if path in FOR_BROWSERS and request.method in READING:
            return _for_browser(path, request)
        if name is None:
            return self._answer(self.instances.owner(request), request, lambda response: response)
        return self._answer(
            self.instances.named(name),
            replace(request, target=target),
            lambda response: _below_prefix(response, request.origin, f"{PREFIX}{name}"),
        )

    def _answer(
        self, instance: MockInstance, request: Request, then: Callable[[Response], Response]
    ) -> Response:
        if not instance.takes_time(request):
            return then(instance.handle(request))
        seen: list[Observation] = []

        def work() -> Response:
            response, shown = instance.answer(request)
            seen.extend(shown)
            return response

        return Later(
            0, work=work, then=lambda response: then(instance.noted(request, response, seen))
        )

    def _control(self, name: str | None, path: str, request: Request) -> Response:
        if path in ("", "/") and request.method in READING and self.guard.login(request):
            # The token goes from the address into a cookie, out of sight and of the history.
            clean = request.path.rstrip("/") + "/"
            replace(self.guard, token=None).check(request)
            cookie = ("Set-Cookie", self.guard.cookie(request))
            return Response(303, Headers([("Location", clean), cookie, *SAFE]))
        self.guard.check(request)
        if path == "":
            return Response(308, Headers([("Location", request.path + "/"), *SAFE]))
        method = "GET" if request.method == "HEAD" else request.method
        if path in FILES and method == "GET":
            return _file(*FILES[path])
        instance = self.instances.main if name is None else self.instances.named(name)
        if path == "/events" and method == "GET":
            return self._events(instance, request)
        if name is None and (path == "/mocks" or path.startswith("/mocks/")):
            return self._mocks(method, path.removeprefix("/mocks").removeprefix("/"), request)
        operation = control.ROUTES.get((method, path))
        if operation is None:
            raise _no_route(path, method, [m for m, p in control.ROUTES if p == path])
        return operation(instance, request, control.read_body(request))

    def _mocks(self, method: str, name: str, request: Request) -> Response:
        match method, name:
            case "GET", "":
                return document(200, {"mocks": [_summary(t) for t in self.instances.all()]})
            case "POST", "":
                body = control.checked(
                    control.read_body(request),
                    {"name": (str,), "access_token": (str,)},
                    required=("name",),
                )
                token = control.chosen_token(body)
                instance = self.instances.named(body["name"])
                # The first credentials are those that a mock begins with.
                made = instance.credentials if token is None else instance.mint(token)
                return document(
                    201, {**_summary(instance), "credentials": control.credentials(made)}
                )
            case "DELETE", _ if name:
                if not self.instances.delete(name):
                    raise Rejected(404, f"there is no mock {name[:64]!r}")
                return document(200, {})
        raise _no_route("/mocks", method, ["DELETE"] if name else ["GET", "POST"])

    def _events(self, instance: MockInstance, request: Request) -> Response:
        if self.streams >= MOST_STREAMS:
            raise Rejected(429, f"{MOST_STREAMS} streams of events are open already")
        since = last_seen(request)
        fields = [("Content-Type", "text/event-stream; charset=utf-8"), *SAFE]

        def ended() -> None:
            self.streams -= 1

        # Counted before it begins: many may ask at a time.
        self.streams += 1
        return Stream(
            200, Headers(fields), parts=lambda: events(instance.journal, since), ended=ended
        )


def _for_browser(path: str, request: Request) -> Response:
    """Leads whoever opens the server in a browser to the page; no client asks for these."""
    if path == "/":
        page = request.path.rstrip("/") + f"{CONTROL}/"
        return Response(307, Headers([("Location", page), *SAFE]))
    return Response(204, Headers(SAFE))


def _split(target: str) -> tuple[str | None, str]:
    """A mock's name and the rest of the target: "/t/a/x?y" is ("a", "/x?y")."""
    path, question, query = target.partition("?")
    if not path.startswith(PREFIX):
        return None, target
    name, slash, rest = path.removeprefix(PREFIX).partition("/")
    return unquote(name), f"{slash}{rest}{question}{query}" if slash else f"/{question}{query}"


def _below_prefix(response: Response, origin: str, prefix: str) -> Response:
    location = response.headers.get("location")
    if location is None:
        return response
    # A fault may redirect to another name of this server.
    there = next((o for o in (origin, other_origin(origin)) if location.startswith(f"{o}/")), None)
    if there is None:
        return response
    moved = there + prefix + location.removeprefix(there)
    return replace(response, headers=response.headers.replaced("Location", moved))


def _summary(instance: MockInstance) -> dict[str, object]:
    return {
        "name": instance.name,
        "path": f"{PREFIX}{instance.name}" if instance.name else "",
        "requests": instance.requests,
        "connections": instance.service.newest(0)[0],
    }


def _no_route(path: str, method: str, allowed: list[str]) -> Rejected:
    if allowed:
        names = ", ".join(sorted(allowed))
        return Rejected(405, f"{path[:64]} takes {names}", [("Allow", names)])
    return Rejected(404, "no such operation; /__aepmock__/openapi.json lists them")


def _file(path: str, kind: str) -> Response:
    fields = [("Content-Type", kind), *SAFE]
    if kind.startswith("text/html"):
        fields.append(("Content-Security-Policy", POLICY))
    return Response(200, Headers(fields), _content(path))


@cache
def _content(path: str) -> bytes:
    return (files("aepmock.server") / path).read_bytes()
