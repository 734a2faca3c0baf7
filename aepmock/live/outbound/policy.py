"""Which requests of a client may leave, and how the others are answered.

What does not leave is answered as the documentation says the service would refuse it, by a mock
that holds nothing; the answer is marked as put in, and the request is judged as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from aepmock.contract import Contract, error_response, load_contract
from aepmock.live.session.journal import name_prefix
from aepmock.live.session.plan import Plan
from aepmock.messages import Headers, Request, Response, path_segment
from aepmock.net import read_authorization
from aepmock.service import FlowService

_READING = frozenset({"connections.list", "connections.get", "connections.search"})
_OURS_ONLY = frozenset(
    {
        "connections.update",
        "connections.delete",
        "connections.action",
        "connections.test",
        "connections.explore",
        "connections.configs",
    }
)
_MOST_BODY = 256 * 1024


class Gate:
    """Says of a request why it must not leave, or None; and refuses in the service's stead."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._contract: Contract = load_contract()
        self._prefix = name_prefix(plan.run)
        self._mock = FlowService()
        self._caller = self._mock.mint_credentials(ims_org_id=plan.settings.org_id)
        self._mock.gateway.add_sandbox(plan.settings.org_id, plan.settings.sandbox)

    def objection(
        self, request: Request, *, tokens: Collection[str], owned: Collection[str]
    ) -> str | None:
        """Why a request of the client stays here: a short text without values; None if it may go.

        `tokens` are those of the run and of its clients, `owned` ids that the run created.
        """
        return self._head_objection(request, tokens) or self._aim_objection(request, owned)

    def _head_objection(self, request: Request, tokens: Collection[str]) -> str | None:
        headers = request.headers
        scheme, token = read_authorization(headers.get("authorization"))
        if len(headers.all("authorization")) != 1 or scheme != "bearer":
            return "without the run's token"
        if token not in tokens:
            return "with a token that is not the run's"
        for name, right in (
            ("x-api-key", self._settings.client_id),
            ("x-gw-ims-org-id", self._settings.org_id),
            ("x-sandbox-name", self._settings.sandbox),
        ):
            values = headers.all(name)
            if not values:
                return f"without {name}"
            if [value.strip() for value in values] != [right]:
                return f"with another {name}"
        if "x-sandbox-id" in headers:
            return "with x-sandbox-id"
        return None

    def _aim_objection(self, request: Request, owned: Collection[str]) -> str | None:
        operation = self._contract.operation_of(request)
        if operation is None or operation.host != "platform":
            return "to no documented operation"
        if len(request.body) > _MOST_BODY:
            return "with a body of more than 256 KiB"
        if operation.id == "connections.create":
            return self._create_objection(request)
        if operation.id in _OURS_ONLY:
            if self.target_id(request) not in owned:
                return "about a connection not of this run"
            return self._rename_objection(request)
        return None if operation.id in _READING else "of an operation that is not for live runs"

    def _create_objection(self, request: Request) -> str | None:
        try:
            body = request.json
        except ValueError:
            return "to create from what is no JSON"
        if not isinstance(body, dict) or not isinstance(body.get("name"), str):
            return "to create something without a name"
        if not body["name"].startswith(self._prefix):
            return "to create under another name than the run's"
        spec = body.get("connectionSpec")
        spec_id = spec.get("id") if isinstance(spec, dict) else None
        connector = self._contract.connectors_by_spec.get(str(spec_id))
        given = self._settings.credentials.get(connector.key) if connector else None
        if given is None:
            return "to create for a connector without credentials"
        return None if _params(body) <= set(given.items()) else "to create with other credentials"

    def _rename_objection(self, request: Request) -> str | None:
        """What a run created is known again by its name, also when the run was killed."""
        try:
            steps = request.json if request.method == "PATCH" else []
        except ValueError:
            return None  # the service refuses it
        for step in steps if isinstance(steps, list) else ():
            path = step.get("path") if isinstance(step, dict) else None
            if path not in ("", "/name") or step.get("op") == "test":
                continue
            value = step.get("value")
            if path == "" or not isinstance(value, str) or not value.startswith(self._prefix):
                return "to give a connection of the run another name"
        return None

    def target_id(self, request: Request) -> str | None:
        """The id in the path of a request, decoded; None where it has none."""
        base = self._contract.base_path
        _, raw = self._contract.methods(request.path[len(base) :])
        return path_segment(raw) if raw else None

    def refusal(self, request: Request) -> Response:
        """What the documentation has the service answer to it."""
        # The mock knows a token of its own; everything else is as the client sent it.
        fields = []
        for name, value in request.headers:
            if name.lower() == "authorization" and value.strip():
                value = f"Bearer {self._caller.access_token}"
            elif name.lower() == "x-api-key" and value == self._settings.client_id:
                value = self._caller.api_key
            fields.append((name, value))
        answer = self._mock.handle(dataclasses.replace(request, headers=Headers(fields)))
        if answer.ok:
            # What the service would take, and this run may not send: the plainest refusal.
            self._mock.reset()
            answer = error_response(
                self._contract.errors["1100-400"],
                {"message": "aepmock does not let this request leave"},
                request_id=self._mock.ids.uuid(),
            )
        return dataclasses.replace(answer, injected=True)


def _params(body: dict[str, Any]) -> set[tuple[str, Any]]:
    auth = body.get("auth")
    params = auth.get("params") if isinstance(auth, dict) else None
    if not isinstance(params, dict):
        return set()
    return {
        (name, value if isinstance(value, str) else str(value)) for name, value in params.items()
    }
