"""How a part of the engine refuses: it names the rule, and the engine finds the wording."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """Raised inside the engine only. `rule` is an id of refusals.toml.

    `params` fill the error's template; `code` overrides the rule's code where a reading or a
    state chooses another one; `allow` are the methods that the path has.
    """

    def __init__(
        self, rule: str, *, code: str | None = None, allow: Sequence[str] = (), **params: str
    ) -> None:
        super().__init__(rule)
        self.rule = rule
        self.code = code
        self.allow = allow
        self.params = params


class BeyondLimitError(Exception):
    """Raised inside the engine for a request that is larger than the mock takes.

    No source says how much the service takes, so this refusal is the mock's own, and no clause
    is about it. `status` is 400, 413 or 414.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def provider(rule: str, text: str) -> Refused:
    """A refusal by the connector behind the service: 1100-400 with the provider's text inside."""
    return Refused(rule, message=text)
