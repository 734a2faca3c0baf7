"""FlowService: the one funnel through which every request passes.

What aepmock does not imitate is answered first, and by one rule. For all else the order of
refusal is gateway, content type, sandbox, route, operation. A refusal is raised as
`Refused`, which names a rule of refusals.toml; the words come from errors.toml, and the answer's
`x-aepmock-clause` says which clause the request broke, or which rule refused it where it broke
none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from heapq import nlargest
from threading import RLock
from typing import Any

from aepmock.clock import Clock
from aepmock.contract import (
    NOT_IMITATED,
    Contract,
    Operation,
    error_response,
    json_response,
    load_contract,
    not_imitated,
)
from aepmock.errors import UsageError, unknown
from aepmock.messages import Headers, Request, Response, path_segment
from aepmock.net import media_type
from aepmock.service import connection_lists, connections
from aepmock.service.gateway import Caller, Credentials, Gateway, TokenKind
from aepmock.service.ids import IdSource
from aepmock.service.presenting import present
from aepmock.service.refusals import BeyondLimitError, Refused
from aepmock.service.sandboxes import list_sandboxes, look_up_sandbox
from aepmock.service.store import Connection, Store
from aepmock.service.tokens import exchange_jwt, issue_token

CLAUSE_HEADER = "x-aepmock-clause"
JSON_TYPES = frozenset({"application/json"})
_SURROGATES = re.compile("[\ud800-\udfff]")
UNKNOWN_ID_CODES = {"short": "short-not-found"}


class FlowService:
    """A stateful Flow Service without I/O. Safe to call from several threads.

    `readings` maps questions of readings.toml to options, {"connections.delete-status": "202"};
    what is left out has its default. `accept_any` lets every non-empty token, key and
    organization in. Raises UsageError for an unknown reading.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        readings: Mapping[str, str] | None = None,
        contract: Contract | None = None,
        accept_any: bool = False,
    ) -> None:
        self.contract = contract or load_contract()
        self.readings = self.contract.resolve_readings(readings or {})
        self.clock = clock or Clock()
        self.ids = ids or IdSource(seed)
        self.gateway = Gateway(self.clock, self.ids, self.readings, accept_any=accept_any)
        self.store = Store()
        self._lock = RLock()

    def mint_credentials(
        self, kind: TokenKind = "service", *, ims_org_id: str | None = None
    ) -> Credentials:
        """A new integration with a valid token of that kind."""
        with self._lock:
            return self.gateway.create_integration(kind, ims_org_id=ims_org_id)

    def expire_token(self, token: str) -> None:
        """Ends a token's life now; one that is none is let be."""
        with self._lock:
            self.gateway.expire(token)

    def expire_tokens(self) -> None:
        """Ends the life of every token that was minted so far."""
        with self._lock:
            self.gateway.expire_all()

    def reset(self) -> None:
        """Forgets every connection. Credentials are valid again; ids go on, they do not repeat."""
        with self._lock:
            self.store.clear()
            self.gateway.restore_tokens()

    def set_readings(self, readings: Mapping[str, str]) -> None:
        """Answers by other readings from now on. Raises UsageError for unknown ones."""
        resolved = self.contract.resolve_readings(readings)
        with self._lock:
            self.readings = resolved
            self.gateway.readings = resolved

    def fork(self, readings: Mapping[str, str] | None = None) -> FlowService:
        """A service that goes on from this one's state by itself, by other readings if given.

        Clock, ids and tokens stay shared; connections are each one's own.
        """
        with self._lock:
            made = copy(self)
            made._lock = RLock()
            made.store = self.store.copied()
            made.gateway = copy(self.gateway)
        if readings is not None:
            made.set_readings(readings)
        return made

    def connections(self) -> Iterator[Mapping[str, Any]]:
        """Every connection held, as a read would give it, secrets included."""
        with self._lock:
            items = [present(self, c) for c in self.store]
        return iter(items)

    def name_of(self, connection_id: str) -> str | None:
        """The name of the connection with an id, wherever it is; None where there is none."""
        with self._lock:
            return next((c.name for c in self.store if c.id == connection_id), None)

    def newest(self, most: int) -> tuple[int, list[Mapping[str, Any]]]:
        """How many connections are held, and the `most` written last, the newest first."""
        with self._lock:
            found = nlargest(most, self.store, key=lambda c: c.change)
            return len(self.store), [present(self, c) for c in found]

    def seed_connection(
        self,
        ims_org_id: str,
        sandbox_name: str,
        *,
        connector: str = "hubspot",
        name: str = "seeded connection",
        description: str | None = None,
        auth_params: Mapping[str, Any] | None = None,
        state: str = "enabled",
        usable: bool = True,
        in_use: bool = False,
    ) -> Mapping[str, Any]:
        """Puts a connection in without a request; returns it as a read would give it.

        `state` is one of states.toml; `usable` False makes its test answer false; `in_use` True
        makes its deletion answer 1418-400. Raises UsageError for unknown names.
        """
        if connector not in self.contract.connectors:
            raise unknown("connector", connector, self.contract.connectors)
        if state not in self.contract.states:
            raise unknown("state", state, self.contract.states)
        with self._lock:
            sandboxes = self.gateway.sandboxes(ims_org_id)
            if sandbox_name not in sandboxes:
                raise unknown("sandbox", sandbox_name, sandboxes)
            return connections.seed(
                self,
                (ims_org_id, sandbox_name),
                self.contract.connectors[connector],
                name=name,
                description=description,
                auth_params=auth_params,
                state=state,
                usable=usable,
                in_use=in_use,
            )

    def set_state(self, connection_id: str, state: str) -> None:
        """Brings a connection into a state of states.toml, whatever led there.

        Raises UsageError for an unknown id or state.
        """
        if state not in self.contract.states:
            raise unknown("state", state, self.contract.states)
        with self._lock:
            for connection in self.store:
                if connection.id == connection_id:
                    connection.state = state
                    connection.initializing_until_ms = 0
                    return
        raise UsageError(f"there is no connection {connection_id!r} to set a state of")

    def handle(self, request: Request) -> Response:
        """The answer to a request; never raises for what a client sent."""
        try:
            with self._lock:
                self.clock.tick()
                answer = self._answer(request)
            return answer if isinstance(answer, Response) else answer()
        except Refused as refusal:
            with self._lock:
                return self._refusal(refusal)
        except BeyondLimitError as error:
            return _limit_response(error)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """A time in which nobody else changes anything."""
        with self._lock:
            yield

    def _answer(self, request: Request) -> Response | Callable[[], Response]:
        """The answer, or what makes it from a snapshot once others may use the service again."""
        contract = self.contract
        beyond = not_imitated(contract, request)
        if beyond is not None:
            held = "the connections of Flow Service"
            raise Refused(NOT_IMITATED, detail=f"aepmock imitates {held}, not {beyond}")
        ims = contract.ims_operation(request.path)
        if ims is not None:
            if request.method != ims.method:
                raise _no_method(request, [ims.method])
            answer = exchange_jwt if ims.id == "ims.jwt" else issue_token
            return answer(request, self.gateway, self.readings)
        name = contract.sandbox_looked_up(request)
        if name is not None:
            if not name:
                return list_sandboxes(request, self.gateway)
            return look_up_sandbox(name, request, self.gateway)
        caller, operation, raw_id = self._authenticate(request)
        connection = None
        if raw_id is not None:
            connection = self._find(caller, path_segment(raw_id))
        handler = HANDLERS[operation.id]
        return handler(self, request, caller, operation, connection)

    def _authenticate(self, request: Request) -> tuple[Caller, Operation, str | None]:
        """Gateway and route. The gateway refuses before anyone looks where the path leads."""
        base = self.contract.base_path
        methods: Mapping[str, Operation] = {}
        raw_id = None
        if request.path.startswith(base + "/"):
            methods, raw_id = self.contract.methods(request.path[len(base) :])
        operation = methods.get(request.method)
        is_list = operation is not None and operation.id == "connections.list"
        caller = self.gateway.authenticate(
            request, is_list=is_list, content_check=_check_content_type
        )
        if operation is None:
            if methods:
                raise _no_method(request, methods)
            raise Refused("route.unknown", detail=f"No operation has the path {request.path}")
        return caller, operation, raw_id

    def _find(self, caller: Caller, connection_id: str) -> Connection:
        connection = self.store.find((caller.ims_org_id, caller.sandbox), connection_id)
        if connection is None:
            option = self.readings["connections.unknown-id"]
            raise Refused(
                "connections.not-found",
                code=UNKNOWN_ID_CODES.get(option, option),
                **({} if option == "1101-404" else {"type": "connections", "id": connection_id}),
            )
        return connection

    def _refusal(self, refused: Refused) -> Response:
        rule = self.contract.refusals[refused.rule]
        code = refused.code or rule.code
        response = error_response(
            self.contract.errors[code],
            {name: _writable(value) for name, value in refused.params.items()},
            request_id=self.ids.uuid(),
            short=self.readings["errors.envelope"] == "short",
            numeric_code=self.readings["gateway.error-code-type"] == "number",
        )
        headers = [*response.headers, (CLAUSE_HEADER, rule.clause or rule.id)]
        if refused.allow:
            headers.append(("Allow", ", ".join(refused.allow)))
        return Response(response.status, Headers(headers), response.body)


def _limit_response(error: BeyondLimitError) -> Response:
    """No answer of Flow Service's: it says whose limit this is."""
    document = {
        "type": "about:blank",
        "title": "A limit of the mock",
        "status": error.status,
        "detail": f"aepmock: {error.detail}. What Flow Service takes is not documented.",
    }
    kind = ("Content-Type", "application/problem+json")
    return json_response(error.status, document, Headers([kind]))


def _no_method(request: Request, methods: Iterable[str]) -> Refused:
    return Refused(
        "route.method", allow=sorted(methods), detail=f"This path has no {request.method}"
    )


def _writable(text: str) -> str:
    """Text that every JSON reader takes: half characters and wrong UTF-8 show as U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _check_content_type(request: Request, readings: Mapping[str, str]) -> None:
    """A payload needs its content type; a request without one needs none. Source: TS."""
    if not request.body or request.method not in ("POST", "PUT", "PATCH"):
        return
    if media_type(request.headers.get("content-type")) not in JSON_TYPES:
        raise Refused("gateway.content-type", code=readings["gateway.content-type"])


HANDLERS: Mapping[str, Callable[..., Response | Callable[[], Response]]] = {
    "connections.list": connection_lists.list_,
    "connections.create": connections.create,
    "connections.search": connection_lists.search,
    "connections.get": connections.get,
    "connections.update": connections.update,
    "connections.delete": connections.delete,
    "connections.test": connections.test,
    "connections.explore": connections.explore_,
    "connections.configs": connections.configs,
    "connections.action": connections.action,
}
