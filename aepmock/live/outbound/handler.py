"""The live handler: takes the place of the mock behind the transports.

A client's request that the policy lets out waits for the throttle and is sent to the sandbox; the
answer is returned unchanged. The kit's own requests go the same way, and are repeated if they may.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import RLock
from typing import Any
from urllib.parse import quote, urlsplit

from aepmock.contract import load_contract
from aepmock.live.leading import Leads, is_elsewhere, nothing_there
from aepmock.live.outbound.policy import Gate
from aepmock.live.outbound.throttle import Throttle, is_disturbance
from aepmock.live.outbound.transport import LostError
from aepmock.live.session.journal import Journal, is_connection_id, name_prefix
from aepmock.live.session.plan import Plan, Ports
from aepmock.live.session.shared_state import LiveStopped, SharedState
from aepmock.live.session.token import Tokens, is_expired
from aepmock.live.shown import shown
from aepmock.messages import Exchange, Headers, Request, Response
from aepmock.net import read_authorization
from aepmock.redaction import Redactor

Observer = Callable[[Exchange], None]
"""Is shown every exchange with the sandbox in order, the kit's own among them, secrets included."""

UNAUTHORISED = 401
TRIES = 4
"""How often the kit repeats a request of its own that was disturbed."""


class LiveHandler:
    """Everything that one process of a live run sends goes through here.

    `observers` see each exchange that left; they must not keep what they see anywhere but in
    memory. `redactor` learns every token. `owner` says that this process began the run.
    """

    def __init__(self, plan: Plan, ports: Ports | None = None, *, owner: bool = False) -> None:
        self.plan = plan
        self.settings = plan.settings
        self.contract = load_contract()
        self.ports = ports or Ports.of(plan.settings)
        self.state = SharedState(plan.private_folder)
        self.redactor: Redactor = plan.redactor(self.contract.secret_names)
        self.throttle = Throttle(plan, self.state, self.ports, owner=owner)
        self.tokens = Tokens(plan, self.state, self.throttle, self.ports, self.redactor)
        self.journal = Journal(plan.journal_path, self.redactor)
        self.gate = Gate(plan)
        self.leads = Leads(plan.settings, self.contract.base_path)
        self.owned: dict[str, str] = {}
        self.observers: list[Observer] = []
        self._clients_tokens: dict[str, bool] = {}
        """Tokens that clients minted, and whether the service once took them."""
        self._base = urlsplit(plan.settings.base_url)
        self._numbers = 0
        self._lock = RLock()

    def about(self) -> dict[str, Any]:
        """The run so far as plain data for the report; nothing in it is secret."""
        state = self.state.look()
        return {
            "run": self.plan.run,
            "sandbox": self.settings.sandbox,
            "requests": state.sent,
            "created": state.created,
            "deleted": state.deleted,
            "tokens": state.tokens_minted,
            "tokens_of_clients": state.tokens_of_clients,
            "throttled": state.throttled,
            "slowest_s": round(state.slowest_s, 2),
            "disturbed": state.disturbed,
            "disturbances": self._shown(state.disturbances),
            "held_back": self._shown(state.held),
            "notes": self._shown(state.notes),
            "budget_spent": state.spent,
            "left_behind": [],
        }

    def _held(self, text: str) -> None:
        with self.state.changing() as state:
            state.note_held(text)

    def _shown(self, texts: Iterable[str]) -> list[str]:
        return [shown(text, self.redactor) for text in texts]

    def known_secrets(self) -> frozenset[str]:
        """Every value that no file may hold; the redactor knows all of them then."""
        self.redactor.learn([*self.tokens.known(), *self.state.look().clients_tokens])
        return self.redactor.values

    # what clients send

    def handle(self, request: Request) -> Response:
        """The answer to a client's request. Raises LiveStopped once the run must not go on."""
        if is_elsewhere(request):
            return nothing_there()
        with self._lock:
            response, host = self.leads.kept_here(request, self._answer(request))
            if host:
                self._held(
                    f"{request.method[:20]} was answered with a way to {host[:80]}: kept here"
                )
            return response

    def _answer(self, request: Request) -> Response:
        operation = self.contract.operation_of(request)
        if operation is not None and operation.id == "ims.token":
            return self._token_request(request)
        known = self.tokens.known() | self._clients_tokens.keys()
        objection = self.gate.objection(request, tokens=known, owned=self.owned)
        if objection is not None:
            self._held(f"{request.method[:20]} {objection}")
            return self.gate.refusal(request)
        if self.throttle.wait_s() > 0 or self.throttle.spent():
            return _too_many(self.throttle.wait_s())
        return self._leave(request)

    def _token_request(self, request: Request) -> Response:
        """A client that mints its own token: counted, and the token known from then on."""
        own = self.settings.client_id
        if own.encode() not in request.body and own not in request.target:
            self._held("POST to the token endpoint for another client id")
            return replace(self.gate.refusal(request), injected=True)
        if not self.settings.client_secret:
            # The user gave a token instead of what one is minted with.
            return _token_answer(self.tokens.current())
        parts = urlsplit(self.settings.ims_token_url)
        query = request.target.partition("?")[1:]
        outgoing = replace(
            request, origin=f"{parts.scheme}://{parts.netloc}", target=parts.path + "".join(query)
        )
        with self.state.changing() as state:
            state.tokens_of_clients += 1
        response = self._sent(outgoing)
        self._observe(Exchange(request, response))
        document = response.json_or_none
        token = document.get("access_token") if isinstance(document, dict) else None
        if response.ok and isinstance(token, str):
            self._clients_tokens[token] = False
            self.redactor.learn([token])
            with self.state.changing() as state:
                state.clients_tokens.append(token)
        return response

    def _leave(self, request: Request) -> Response:
        """Sends a request that may go, and keeps account of what it creates and deletes."""
        operation = self.contract.operation_of(request)
        creating = operation is not None and operation.id == "connections.create"
        name = request.json["name"] if creating and _has_name(request) else ""
        if name:
            with self._journalling():
                self.journal.creating(name)
        response = self._with_token(request)
        if creating:
            self._account_create(name, response)
        elif operation is not None and operation.id == "connections.delete":
            self._account_delete(self.gate.target_id(request) or "", response)
        self._observe(Exchange(request, response))
        own = self._clients_tokens.get(_token(request), False)
        self.throttle.note(request, response, renewable=own and is_expired(response))
        return response

    @contextmanager
    def _journalling(self) -> Iterator[None]:
        """Ends the run where its journal can't be written to: it may create nothing more."""
        try:
            yield
        except OSError as error:
            why = f"the journal {self.plan.journal} can't be written to: {error.strerror or error}"
            with self.state.changing() as state:
                state.ended = state.ended or why
            raise LiveStopped(why) from None

    def _with_token(self, request: Request) -> Response:
        """Sends with the run's token, once more with a fresh one where it had expired."""
        sent = _token(request)
        ours = sent in self.tokens.known()
        token = self.tokens.current() if ours else sent
        response = self._sent(self._outgoing(request, token))
        if ours and is_expired(response):
            fresh = self.tokens.renewed(token)
            if fresh:
                self._observe(Exchange(request, response))
                token, response = fresh, self._sent(self._outgoing(request, fresh))
        if response.status != UNAUTHORISED and not is_disturbance(response):
            if ours:
                self.tokens.worked(token)
            elif sent in self._clients_tokens:
                self._clients_tokens[sent] = True
        return response

    def _outgoing(self, request: Request, token: str) -> Request:
        base = self.contract.base_path
        below = request.target[len(base) :]
        target = self._base.path + below if request.target.startswith(base) else request.target
        self.redactor.learn([token])
        return replace(
            request,
            origin=f"{self._base.scheme}://{self._base.netloc}",
            target=target,
            headers=request.headers.replaced("Authorization", f"Bearer {token}"),
        )

    def _sent(self, request: Request) -> Response:
        """The answer, or a stand-in for the one that never came."""
        self.throttle.take_turn()
        begun = self.ports.now()
        try:
            return self.ports.send(request)
        except LostError:
            return Response(504, Headers(), b"", injected=True)
        finally:
            self.state.note_slowness(self.ports.now() - begun)

    # accounts

    def _account_create(self, name: str, response: Response) -> None:
        document = response.json_or_none
        connection_id = document.get("id") if isinstance(document, dict) else None
        if response.ok and is_connection_id(connection_id):
            self._own(name, str(connection_id))
        elif name and 400 <= response.status < 500 and response.status != 408:
            self.journal.refused(name, response.status)

    def _own(self, name: str, connection_id: str) -> None:
        self.owned[connection_id] = name
        with self.state.changing() as state:
            state.created += 1
            state.owned += 1
        with self._journalling():
            self.journal.created(name, connection_id)

    def _account_delete(self, connection_id: str, response: Response) -> None:
        if connection_id in self.owned and (response.ok or response.status in (404, 410)):
            del self.owned[connection_id]
            self.forget(connection_id)
            with self.state.changing() as state:
                state.deleted += 1
                state.owned -= 1

    def forget(self, connection_id: str) -> None:
        """Notes that a connection is gone. Without the note a sweep finds that out for itself."""
        with suppress(OSError):
            self.journal.deleted(connection_id)

    def adopt(self, connection_id: str, name: str) -> None:
        """Takes over what another process of this run created, so that it may be deleted."""
        self.owned.setdefault(connection_id, name)

    def fresh_name(self, text: str) -> str:
        """A name for one create: no other of the run, in whatever process, has the same.

        An object whose answer was lost can so be told from all that come later.
        """
        with self.state.changing() as state:
            state.names += 1
            number = state.names
        return f"{name_prefix(self.plan.run)}{number}-{text}"

    # what the kit asks for itself

    def ask(
        self,
        method: str,
        below: str,
        *,
        document: Any = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """The kit's own request to a path below the base path, repeated while it is disturbed.

        A create is not repeated. Raises LiveStopped once the run must not go on.
        """
        with self._lock:
            content = body if body is not None else b""
            fields = {**self.own_headers(), **(headers or {})}
            if document is not None:
                content = json.dumps(document).encode()
                fields.setdefault("Content-Type", "application/json")
            request = Request(
                method,
                f"{self._base.scheme}://{self._base.netloc}",
                self.contract.base_path + below,
                Headers(fields),
                content,
            )
            for attempt in range(TRIES):
                self.throttle.wait()
                response = self._leave(request)
                if not (is_disturbance(response) or response.status == 429):
                    return response
                if (method == "POST" and response.status != 429) or attempt == TRIES - 1:
                    return response
            raise AssertionError("the loop returns")

    def look_up_sandbox(self) -> Response:
        """The answer of Sandbox Management about the run's sandbox."""
        path = self.contract.operations["sandboxes.get"].path
        return self._ask_management(path.replace("{name}", quote(self.settings.sandbox, safe="")))

    def list_sandboxes(self) -> Response:
        """Its answer about all sandboxes that these credentials may use, at most 200.

        Source: SBAPI, where a limit without an offset is an error.
        """
        path = self.contract.operations["sandboxes.list"].path
        return self._ask_management(f"{path}?limit=200&offset=0")

    def _ask_management(self, path: str) -> Response:
        prefix = self._base.path.removesuffix(self.contract.base_path)
        for _ in range(TRIES):
            self.throttle.wait()
            request = Request(
                "GET",
                f"{self._base.scheme}://{self._base.netloc}",
                prefix + path,
                Headers(self.own_headers()),
            )
            response = self._with_token(request)
            self.throttle.note(request, response)
            if not (is_disturbance(response) or response.status == 429):
                break
        return response

    def own_headers(self) -> dict[str, str]:
        """The headers of the kit's own requests."""
        return {
            "Authorization": f"Bearer {self.tokens.current()}",
            "x-api-key": self.settings.client_id,
            "x-gw-ims-org-id": self.settings.org_id,
            "x-sandbox-name": self.settings.sandbox,
            "Accept": "application/json",
        }

    def _observe(self, exchange: Exchange) -> None:
        self._numbers += 1
        numbered = replace(exchange, number=self._numbers)
        for observer in self.observers:
            observer(numbered)


def _has_name(request: Request) -> bool:
    try:
        document = request.json
    except ValueError:
        return False
    return isinstance(document, dict) and isinstance(document.get("name"), str)


def _token_answer(token: str) -> Response:
    body = {"access_token": token, "token_type": "bearer", "expires_in": 3600}
    fields = Headers({"Content-Type": "application/json"})
    return Response(200, fields, json.dumps(body).encode(), injected=True)


def _too_many(wait_s: float) -> Response:
    """To a client that comes again although it was told to wait, or whose budget is spent."""
    body = {"error_code": "429050", "message": "Too many requests"}
    fields = {"Content-Type": "application/json", "Retry-After": str(max(1, round(wait_s)))}
    return Response(429, Headers(fields), json.dumps(body).encode(), injected=True)


def _token(request: Request) -> str:
    """The token that a request carries, "" for none."""
    return read_authorization(request.headers.get("authorization"))[1]
