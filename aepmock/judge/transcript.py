"""What happened in one scenario: the exchanges, and what each call returned or raised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from aepmock.client_api import ProtocolObservation
from aepmock.contract import is_beside, is_not_imitated
from aepmock.messages import Exchange

if TYPE_CHECKING:
    from aepmock.contract import Contract

TIMEOUT_FACTOR = 5
"""A call that takes longer than so many times its timeout never gives up."""
PRIMARY: Mapping[str, frozenset[str]] = {
    "create_connection": frozenset({"connections.create"}),
    "get_connection": frozenset({"connections.get"}),
    "list_connections": frozenset({"connections.list", "connections.search"}),
    "count_connections": frozenset({"connections.list", "connections.search"}),
    "update_connection": frozenset({"connections.update"}),
    "delete_connection": frozenset({"connections.delete"}),
    "test_connection": frozenset({"connections.test"}),
    "explore_connection": frozenset({"connections.explore"}),
}
"""Which operations of the service a method of the client is for."""


Together = Literal["alone", "in turn", "again", "threads", "tasks", "interleaved"]


class Settings(Protocol):
    """What a client was given, as far as its requests show it; ClientSettings has these."""

    @property
    def base_url(self) -> str: ...
    @property
    def access_token(self) -> str: ...
    @property
    def api_key(self) -> str: ...
    @property
    def ims_org_id(self) -> str: ...
    @property
    def sandbox_name(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> str: ...
    @property
    def scopes(self) -> str: ...
    @property
    def timeout_s(self) -> float: ...
    @property
    def ca_file(self) -> str | None: ...


@dataclass(frozen=True)
class Expected:
    """What the headers of a request may hold; with `any_value` only their form is judged."""

    base_url: str
    tokens: frozenset[str]
    api_keys: frozenset[str]
    orgs: frozenset[str]
    sandboxes: frozenset[str]
    any_value: bool = False

    @staticmethod
    def of(
        settings: Settings, tokens: frozenset[str] = frozenset(), *, any_value: bool = False
    ) -> Expected:
        """Exactly the caller's values; `tokens` are those the client fetched itself."""
        return Expected(
            settings.base_url,
            frozenset({settings.access_token}) | tokens,
            frozenset({settings.api_key}),
            frozenset({settings.ims_org_id}),
            frozenset({settings.sandbox_name}),
            any_value,
        )


@dataclass(frozen=True)
class Trace:
    """What a call left behind beside its answer, raw: a log line, output, a repr, a file.

    `place` is "log", "debug log" (below INFO), "output", "repr" or "file"; `where` says it in
    words ("the logger acme, DEBUG").
    """

    place: str
    where: str
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Call:
    """One call of a client's method: its arguments, its exchanges, and how it ended.

    `operation` is the method's name, or "factory" for the making of the client, or "seed" for
    connections put in without the client, which are what is `returned`; else `returned` is what
    came back, with every iterator read to its end; `raised` the exception, if any; `timed_out` says
    that the kit broke the call off because it went on for ever; `unanswered` that a program gave no
    answer that could be judged, so that only its exchanges count. `traces` is what it left
    elsewhere, with an empty one for each place where somebody looked in vain, or None where nobody
    looked. `strangers` are hosts beside the service that it tried to reach, and was kept from: in a
    live run only, where every one is. `changed` names what it altered of its caller's process, None
    where nobody looked; `took_s` are the real seconds it took. The closing of a test's clients is a
    call of "close", with the `threads` that go on after it.
    """

    operation: str
    settings: Settings
    args: Mapping[str, Any] = field(default_factory=dict)
    exchanges: tuple[Exchange, ...] = ()
    returned: Any = None
    raised: BaseException | None = None
    timed_out: bool = False
    unanswered: bool = False
    traces: tuple[Trace, ...] | None = None
    strangers: tuple[str, ...] = ()
    changed: tuple[str, ...] | None = None
    took_s: float = 0.0
    threads: tuple[str, ...] | None = None


@dataclass
class Transcript:
    """The calls of one example, from an empty sandbox on, in order.

    `tokens` are access tokens the clients fetched before or during it; `observations` is how a
    program kept to the protocol meanwhile; `canaries` are secrets besides those of the settings,
    with what they are; `together` is how the clients were used: "alone", "in turn" or "again" (the
    same call over and over), or at a time, in "threads" or "tasks", or as rivals in a
    "interleaved": then the order of calls is not that of what happened. `certified` are the hosts
    that the certificate of a TLS server names; `at_s` says when an exchange was begun, in seconds,
    by its number. `live` says that the service is a real one, in a sandbox that others use too:
    what it holds is not all on record, it may be late, and where it is wrong the client is not.
    `first` says that these are the first calls of a run: plain ones, answered well.
    """

    contract: Contract
    calls: list[Call] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    unsupported: set[str] = field(default_factory=set)
    observations: list[ProtocolObservation] = field(default_factory=list)
    canaries: dict[str, str] = field(default_factory=dict, repr=False)
    together: Together = "alone"
    certified: frozenset[str] = frozenset()
    at_s: dict[int, float] = field(default_factory=dict)
    live: bool = False
    first: bool = False

    @property
    def at_a_time(self) -> bool:
        """Whether several clients were at work at a time."""
        return self.together in ("threads", "tasks", "interleaved")

    def of(self, *operations: str) -> Iterator[Call]:
        """The calls of these methods."""
        return (call for call in self.calls if call.operation in operations)

    def secrets(self, call: Call) -> dict[str, str]:
        """The secrets that a call may give away, each with what it is.

        What the service itself says in a refusal is given away already.
        """
        said = _refusals(call)
        return {s: what for s, what in self._kept(call).items() if s.encode() not in said}

    def repeated(self, call: Call) -> dict[str, str]:
        """The secrets that a call sent and the service repeats, each with what it is.

        Those that it did not send it can't know in what the service says.
        """
        said, sent = _refusals(call), _requests(call)
        return {
            s: what
            for s, what in self._kept(call).items()
            if s and s.encode() in said and s.encode() in sent
        }

    def _kept(self, call: Call) -> dict[str, str]:
        settings = call.settings
        return {
            **dict.fromkeys(self.tokens, "the access token"),
            settings.access_token: "the access token",
            settings.client_secret: "the client secret",
            **self.canaries,
        }

    def primary(self, call: Call) -> list[Exchange]:
        """The exchanges of a call that are what the call is for, look-ups left out."""
        wanted = PRIMARY.get(call.operation, frozenset())
        return [e for e in call.exchanges if self.operation(e) in wanted]

    @property
    def not_imitated(self) -> int:
        """How many requests were for things that aepmock does not imitate."""
        requests = (e.request for call in self.calls for e in call.exchanges)
        return sum(is_not_imitated(self.contract, request) for request in requests)

    def is_for_flow_service(self, exchange: Exchange) -> bool:
        """Whether a request is Flow Service's, right or wrong: not one for a token, not one for
        another service, and not one for what aepmock does not imitate."""
        request = exchange.request
        ims = self.contract.ims_operation(request.path)
        return ims is None and not is_beside(self.contract, request)

    def operation(self, exchange: Exchange) -> str | None:
        """The id of the documented operation of an exchange, or None."""
        operation = self.contract.operation_of(exchange.request)
        return operation.id if operation else None


def _refusals(call: Call) -> bytes:
    return b"".join(e.response.body for e in call.exchanges if e.response.status >= 400)


def _requests(call: Call) -> bytes:
    """The headers and bodies that a call sent; what it put into a URL it gave away itself."""
    return b"\n".join(
        part
        for e in call.exchanges
        for part in (e.request.body, *(v.encode("utf-8", "replace") for _, v in e.request.headers))
    )
