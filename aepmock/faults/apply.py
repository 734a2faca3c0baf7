"""What a step of a fault does to one request: the answer, and its effect on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aepmock.contract import Contract, error_response
from aepmock.faults.model import DIALECT, Step
from aepmock.messages import Effect, Ending, Handler, Headers, Request, Response
from aepmock.net import other_origin, read_authorization
from aepmock.service.ids import IdSource

if TYPE_CHECKING:
    from aepmock.service.engine import FlowService

JSON = ("Content-Type", "application/json")
_GARBAGE_BODY = b'\xff\xfe{"items": [{"id": \x00'
_ENDINGS: dict[str, Ending] = {
    "reset": "reset",
    "reset before reading": "reset",
    "timeout": "silence",
    "empty answer": "closed",
    "garbage": "garbage",
}


class Faulting:
    """Plays steps. It has names of its own: a fault takes none of the service's."""

    def __init__(self, contract: Contract, handler: Handler, service: FlowService | None) -> None:
        self._contract = contract
        self._handler = handler
        self._service = service
        self._ids = IdSource(-1)
        self.waited_s = 0.0
        self.led_to: set[str] = set()

    def play(self, step: Step, request: Request) -> Response:
        """The answer to a request to which a step happens; `good` without a delay leaves it."""
        if step.kind == "good" and not step.after_s:
            return self._handler(request)
        effect = Effect(str(step), delay_s=step.after_s, elapsed=self.elapsed)
        behind = None
        if step.place == "service":
            if step.kind == "expired token" and self._service is not None:
                _, token = read_authorization(request.headers.get("authorization"))
                self._service.expire_token(token)
            return replace(self._handler(request), injected=True, effect=effect)
        if step.place == "way":
            return self._altered(step, self._handler(request), effect, request.method)
        if step.lost:
            behind = self._handler(request)
        answer = self._instead(step, request)
        effect = replace(effect, ending=_ENDINGS.get(step.kind, "whole"), behind=behind)
        return replace(answer, injected=True, effect=effect)

    def name_of(self, connection_id: str) -> str | None:
        """The name of the connection with an id, None where there is none."""
        return self._service.name_of(connection_id) if self._service is not None else None

    def elapsed(self, mock_s: float, real_s: float) -> None:
        """Moves the mock's own time on, and counts what was really waited, because of a fault."""
        self.waited_s += real_s
        if self._service is not None:
            self._service.clock.elapse(mock_s)

    def _altered(self, step: Step, answer: Response, effect: Effect, method: str) -> Response:
        """The service's own answer, and what becomes of it on its way."""
        headers, body = answer.headers, answer.body
        effect = replace(effect, behind=answer)
        if step.kind == "latency":
            effect = replace(effect, delay_s=effect.delay_s + (step.seconds or 0.0))
        elif step.kind == "slow body":
            effect = replace(effect, spread_s=step.seconds or 0.0)
        elif step.kind == "wrong content type":
            headers = headers.replaced("Content-Type", "text/plain")
        elif not body or method == "HEAD":
            # There is no body to cut: the answer breaks off before it begins.
            effect = replace(effect, ending="closed")
        elif step.kind == "truncated body":
            headers = headers.replaced("Content-Length", str(len(body)))
            effect, body = replace(effect, ending="cut"), body[: len(body) // 2]
        else:
            headers = headers.without("Content-Length").replaced("Transfer-Encoding", "chunked")
            effect, body = replace(effect, ending="cut"), body[: len(body) // 2]
        if effect.ending == "closed":
            return Response(0, injected=True, effect=effect)
        return Response(answer.status, headers, body, injected=True, effect=effect)

    def _instead(self, step: Step, request: Request) -> Response:
        if step.kind in _ENDINGS:
            return Response(0)
        match step.kind:
            case "bare":
                answer = Response(step.status or 500)
            case "empty body" | "garbage body":
                body = _GARBAGE_BODY if step.kind == "garbage body" else b""
                answer = Response(200, Headers([JSON]), body)
            case "html":
                answer = _page(step.status or 502)
            case "redirect":
                answer = self._redirect(step, request)
            case _:
                answer = self._refusal(step)
        if step.retry_after_s is not None:
            fields = [*answer.headers, ("Retry-After", str(step.retry_after_s))]
            answer = replace(answer, headers=Headers(fields))
        return answer

    def _redirect(self, step: Step, request: Request) -> Response:
        """To another origin: one that leads to `elsewhere`, unless another is named."""
        url = step.url or other_origin(request.origin) + request.target
        origin = "/".join(url.split("/", 3)[:3])
        if origin != request.origin:
            self.led_to.add(origin)
        return Response(step.status or 307, Headers([("Location", url)]))

    def elsewhere(self) -> Response:
        """What the other origin answers, to which a redirect led."""
        effect = Effect("another origin", elsewhere=True)
        return replace(_page(404), injected=True, effect=effect)

    def _refusal(self, step: Step) -> Response:
        """A refusal in the vendor's words, as far as the catalogue has any."""
        code = step.code or DIALECT.get(step.status or 0)
        if code is None:
            return Response(step.status or 500)
        readings = self._service.readings if self._service is not None else {}
        return error_response(
            self._contract.errors[code],
            request_id=self._ids.uuid(),
            short=readings.get("errors.envelope") == "short",
            numeric_code=readings.get("gateway.error-code-type") == "number",
        )


def _page(status: int) -> Response:
    """What a gateway in front of a service answers: a page for people."""
    body = (
        f"<html>\r\n<head><title>{status}</title></head>\r\n"
        f"<body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Response(status, Headers([("Content-Type", "text/html")]), body.encode())
