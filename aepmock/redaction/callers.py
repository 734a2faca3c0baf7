"""Redacts requests whose secrets are not known beforehand."""

from __future__ import annotations

from collections.abc import Collection

from aepmock.messages import Request
from aepmock.net import read_authorization
from aepmock.redaction.redactor import Redactor

MOST_TOKENS = 32
"""How many callers' tokens are looked for in running texts, besides the announced secrets."""


class LearningRedactor:
    """A redactor that learns each caller's token as it comes, and forgets those of long ago."""

    def __init__(self, names: Collection[str], secrets: Collection[str] = ()) -> None:
        self._names = names
        self._secrets = set(secrets)
        self._callers: set[str] = set()
        self._redactor = Redactor(names, secrets)

    def learn(self, secrets: Collection[str]) -> None:
        """Adds secrets that are looked for from now on, whoever sends them."""
        self._secrets |= set(secrets)
        self._redactor.learn(secrets)

    @property
    def callers(self) -> frozenset[str]:
        """The tokens that callers sent lately."""
        return frozenset(self._callers)

    def of(self, request: Request) -> Redactor:
        """What takes the secrets out of a request, its answer, and what is said about them."""
        _, token = read_authorization(request.headers.get("authorization"))
        if token and token not in self._callers:
            if len(self._callers) >= MOST_TOKENS:
                self._callers.clear()
                self._redactor = Redactor(self._names, self._secrets)
            self._callers.add(token)
            self._redactor.learn([token])
        # What is said about the request is looked through as well: it is to know its secrets.
        self._redactor.request(request)
        return self._redactor
