"""`aepmock live doctor`: checks what a live run needs, one by one, without creating anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from aepmock.contract import load_contract
from aepmock.errors import UsageError
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.private import private_folder
from aepmock.live.session import sandbox_check
from aepmock.live.session.plan import Plan, Ports
from aepmock.live.settings import (
    LiveSettings,
    known_keys,
    missing,
    missing_credentials,
)
from aepmock.live.shown import saying
from aepmock.redaction import Redactor

READY, NOT_READY = 0, 2


def examine(
    settings: LiveSettings,
    *,
    connector: str,
    say: Callable[[str], None],
    ports: Ports | None = None,
) -> int:
    """Says of each setting and each step whether it is right; 0 if all are, else 2.

    Sends requests that read only: a token, the look-up of the sandbox, one page of one item.
    """
    say = saying(say, Redactor(load_contract().secret_names, settings.secrets))
    lacking = {key.name for key in missing(settings)}
    for line in _settings_lines(settings, lacking):
        say(line)
    if lacking:
        say("nothing was sent: the settings above that are missing come first")
        return NOT_READY
    ready = True
    with private_folder() as private:
        plan = Plan("doctor", settings, str(private), str(private / "unused.jsonl"), 0)
        handler = LiveHandler(plan, ports, owner=True)
        say = saying(say, handler.redactor)
        try:
            for step in _steps(handler):
                say(step)
        except UsageError as error:
            say(f"  no   {error}")
            ready = False
    ready = _credentials(settings, connector, say) and ready
    say("ready for --live" if ready else "not ready")
    return READY if ready else NOT_READY


def _settings_lines(settings: LiveSettings, lacking: set[str]) -> Iterator[str]:
    yield "settings"
    names = ["base_url", "ims_token_url", "client_id", "org_id", "sandbox"]
    names += ["access_token"] if settings.access_token else ["client_secret", "scopes"]
    names += ["ca_file"] if settings.ca_file else []
    for name in names:
        key = known_keys()[name]
        if name in lacking:
            yield f"  no   {key.variable} is not set. {key.where}"
            continue
        origin = settings.origins.get(name, "default")
        value = "set, not shown" if key.secret else str(getattr(settings, name))
        yield f"  ok   {key.variable} = {value} ({origin})"


def _steps(handler: LiveHandler) -> Iterator[str]:
    """What could be done, a line each. Raises UsageError at the first that could not."""
    settings = handler.settings
    yield "service"
    handler.tokens.current()
    ims = urlsplit(settings.ims_token_url).netloc
    yield (
        "  ok   the ready token is used as it is"
        if settings.access_token
        else f"  ok   {ims} gave a token"
    )
    found = sandbox_check.check(handler)
    yield f"  ok   the sandbox {settings.sandbox} is of type {found.type}, {found.state}"
    response = handler.ask("GET", "/connections?limit=1")
    if not response.ok:
        raise UsageError(
            f"GET /connections was answered with {response.status}: the credentials lack the "
            "permissions Sources (View and Manage) in this sandbox, or the API is not added to "
            "the project in the Developer Console"
        )
    yield "  ok   connections can be listed"


def _credentials(settings: LiveSettings, connector: str, say: Callable[[str], None]) -> bool:
    say(f"credentials for {connector} connections")
    lacking = missing_credentials(settings, connector)
    for name in lacking:
        say(f"  no   {name} is not set: without it nothing is created, and little is judged")
    if not lacking:
        say("  ok   all set, not shown")
    return not lacking
