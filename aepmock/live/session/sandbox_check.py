"""Whether a run may write to the sandbox that it was pointed at.

Sandbox Management says of which type a sandbox is (SBAPI: development or production) and in which
state (creating, active, failed, deleted). Only an active development sandbox is let through. The
look-up of one wants the permission to administer sandboxes; the list of them does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aepmock.errors import UsageError
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.shown import said
from aepmock.messages import Response

FORBIDDEN = 403
_MOST_TOLD = 120


@dataclass(frozen=True)
class Sandbox:
    """What Sandbox Management said: `type` and `state` are "" where it did not say."""

    name: str
    type: str
    state: str


def look_up(handler: LiveHandler) -> Sandbox:
    """The run's sandbox. Raises UsageError where the look-up is refused."""
    response = handler.look_up_sandbox()
    document = response.json_or_none
    name = handler.settings.sandbox
    if response.status == FORBIDDEN:
        found = _listed(handler.list_sandboxes(), name)
        if found is not None:
            return found
    if not response.ok or not isinstance(document, dict):
        raise UsageError(
            f"whether the sandbox {name!r} is for production could not be learned "
            f"({_told(response, handler)}): nothing was written"
        )
    return _sandbox(document)


def _listed(response: Response, name: str) -> Sandbox | None:
    """The sandbox of that name in a list, or None where it is not found there."""
    document = response.json_or_none
    found = document.get("sandboxes") if response.ok and isinstance(document, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and item.get("name") == name:
            return _sandbox(item)
    return None


def _sandbox(document: Mapping[str, Any]) -> Sandbox:
    texts = (document.get(key) for key in ("name", "type", "state"))
    return Sandbox(*(text if isinstance(text, str) else "" for text in texts))


def check(handler: LiveHandler) -> Sandbox:
    """The sandbox, if it may be written to. Raises UsageError, in one sentence, if it may not."""
    settings = handler.settings
    allowed = settings.allow_sandbox == settings.sandbox
    if settings.allow_sandbox is not None and not allowed:
        raise UsageError(
            f"--live-allow-sandbox names {settings.allow_sandbox!r}, "
            f"but the run is for the sandbox {settings.sandbox!r}: nothing was written"
        )
    try:
        found = look_up(handler)
    except UsageError as error:
        if allowed and type(error) is UsageError:
            return Sandbox(settings.sandbox, "", "")
        raise
    if allowed:
        return found
    kind, state, name = (said(t, handler.redactor) for t in (found.type, found.state, found.name))
    hint = f"; if you mean it, add --live-allow-sandbox {settings.sandbox}"
    if found.name != settings.sandbox:
        raise UsageError(
            f"the look-up of the sandbox {settings.sandbox!r} told of {name!r}: "
            f"nothing was written{hint}"
        )
    if found.type != "development":
        kind = f"of type {kind!r}" if kind else "of no known type"
        raise UsageError(f"the sandbox {name!r} is {kind}: nothing was written{hint}")
    if found.state != "active":
        raise UsageError(
            f"the sandbox {name!r} is {state or 'in no known state'}, not active: "
            f"nothing was written{hint}"
        )
    return found


def _told(response: Response, handler: LiveHandler) -> str:
    if response.injected:
        return "no answer"
    document = response.json_or_none
    told = document if isinstance(document, dict) else {}
    text = told.get("message") or told.get("errorMessage") or told.get("title") or ""
    # Cut only once the secrets are out of it: half of one would not be known again.
    shown = said(text, handler.redactor)[:_MOST_TOLD]
    return f"{response.status}: {shown}" if shown else str(response.status)
