"""The shapes of the contract's entries, and the questions that may be asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

from aepmock.contract.checking import Check, compile_check
from aepmock.errors import unknown
from aepmock.messages import path_segment

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from aepmock.messages import Request

_REMEMBERED = "_aepmock_operation"

Grade = Literal["must", "should", "open"]


@dataclass(frozen=True)
class Source:
    """Where an entry was read: `kind` says how firmly, `where` names entries of sources.toml."""

    kind: Literal["documented", "derived", "open"]
    where: tuple[str, ...]
    note: str = ""

    def __str__(self) -> str:
        text = f"{self.kind}: {'; '.join(self.where)}"
        return f"{text} ({self.note})" if self.note else text


@dataclass(frozen=True)
class Operation:
    """One operation: `id` "connections.get", `path` "/connections/{id}" below the base path.

    `also` holds further paths at which the same is answered.
    """

    id: str
    method: str
    path: str
    query: tuple[str, ...]
    any_case: bool
    body: Literal["none", "optional", "required"]
    schema: str | None
    success: tuple[int, ...]
    host: Literal["platform", "ims", "sandbox-management"]
    source: Source
    also: tuple[str, ...] = ()

    @cached_property
    def query_names(self) -> frozenset[str]:
        """The documented parameter names, in lower case where case does not matter."""
        return frozenset(n.lower() if self.any_case else n for n in self.query)


@dataclass(frozen=True)
class ErrorEntry:
    """One refusal's wire form: `message` is a template over `params` (name to sample value)."""

    code: str
    shape: Literal["service", "gateway", "problem", "own", "short", "message", "oauth"]
    status: int
    title: str
    message: str
    params: Mapping[str, str]
    source: Source


@dataclass(frozen=True)
class Refusal:
    """A rule by which the service refuses; `clause` is what such a request broke, or None."""

    id: str
    when: str
    code: str
    clause: str | None
    reading: str | None
    source: Source


@dataclass(frozen=True)
class ReadingOption:
    """One way to read the documentation."""

    id: str
    text: str
    source: Source


@dataclass(frozen=True)
class Reading:
    """A question the documentation leaves open; `operations` are those it can be noticed in."""

    id: str
    question: str
    operations: tuple[str, ...]
    default: str
    options: tuple[ReadingOption, ...]
    note: str = ""

    def touches(self, operations: Iterable[str]) -> bool:
        """Whether a run of these operations could notice the difference."""
        return "*" in self.operations or any(op in self.operations for op in operations)


@dataclass(frozen=True)
class Contradiction:
    """A place where the sources disagree: which readings switch it, or why none has to.

    `number` counts them from 1; `note` is empty only where the readings say it all.
    """

    number: int
    about: str
    readings: tuple[str, ...]
    note: str
    source: Source


@dataclass(frozen=True)
class State:
    """A state of a connection; `update` and `delete` say allowed, service-token or a code."""

    name: str
    update: str
    delete: str
    source: Source


@dataclass(frozen=True)
class Clause:
    """One thing the contract asks of a client."""

    id: str
    grade: Grade
    family: int
    text: str
    breaks: str
    right: str
    wrong: str
    source: Source


@dataclass(frozen=True)
class AuthParam:
    """One auth param of a connector; `required` None means the page does not say."""

    name: str
    type: str
    required: bool | None
    secret: bool
    about: str = ""


@dataclass(frozen=True)
class AuthSpec:
    """One way to authenticate a connector."""

    name: str
    params: tuple[AuthParam, ...]

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.params if p.required)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(p.name for p in self.params)

    @cached_property
    def secrets(self) -> frozenset[str]:
        return frozenset(p.name for p in self.params if p.secret)


@dataclass(frozen=True)
class Connector:
    """A documented connector: its spec id, versions (oldest first), auth specs, explore data."""

    key: str
    name: str
    category: str
    spec_id: str
    versions: tuple[str, ...]
    auth: tuple[AuthSpec, ...]
    object_types: tuple[str, ...]
    tables: tuple[Mapping[str, Any], ...]
    configs: tuple[Mapping[str, Any], ...]
    oddities: tuple[str, ...]
    source: Source

    def auth_spec(self, name: str) -> AuthSpec | None:
        """The auth spec of that name, or None where the connector has none such."""
        return next((spec for spec in self.auth if spec.name == name), None)


@dataclass(frozen=True)
class NotImitated:
    """What is documented and not in the contract yet: its source by name or by spec id.

    `connectors` maps the ids of connection specs to the names of their connectors.
    """

    resources: Mapping[str, Source]
    connectors: Mapping[str, str]
    sources: Mapping[str, Source]


@dataclass(frozen=True)
class Contract:
    """All of it. Lookups by id raise KeyError only for ids the kit itself got wrong."""

    version: str
    base_path: str
    operations: Mapping[str, Operation]
    clauses: Mapping[str, Clause]
    readings: Mapping[str, Reading]
    errors: Mapping[str, ErrorEntry]
    refusals: Mapping[str, Refusal]
    states: Mapping[str, State]
    settable_states: tuple[str, ...]
    publish_from: str
    publish_to: str
    connectors: Mapping[str, Connector]
    sources: Mapping[str, Mapping[str, str]]
    schemas: Mapping[str, Mapping[str, Any]]
    not_imitated: NotImitated
    contradictions: tuple[Contradiction, ...] = ()
    _validators: dict[str, Validator] = field(default_factory=dict, repr=False, compare=False)
    _checks: dict[str, Check | None] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def default_readings(self) -> Mapping[str, str]:
        """Every question with its default option."""
        return {reading.id: reading.default for reading in self.readings.values()}

    @cached_property
    def connectors_by_spec(self) -> Mapping[str, Connector]:
        """Connectors by connection spec id."""
        return {connector.spec_id: connector for connector in self.connectors.values()}

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """Names of auth params that hold secrets, of all connectors."""
        return frozenset(
            name for c in self.connectors.values() for spec in c.auth for name in spec.secrets
        )

    @cached_property
    def _by_path(self) -> tuple[Mapping[str, dict[str, Operation]], Mapping[str, Any]]:
        fixed: dict[str, dict[str, Operation]] = {}
        below_id: dict[str, dict[str, Operation]] = {}
        for operation in self.operations.values():
            if operation.host != "platform":
                continue
            match = re.fullmatch(r"/connections/\{id\}(/.*)?", operation.path)
            table, key = (below_id, match.group(1) or "") if match else (fixed, operation.path)
            table.setdefault(key, {})[operation.method] = operation
        return fixed, below_id

    def methods(self, path: str) -> tuple[Mapping[str, Operation], str | None]:
        """Operations by method for a path below the base path, and the raw id in it.

        A trailing slash is accepted without a redirect: OAS has it on PATCH and DELETE, the
        tutorials do not.
        """
        fixed, below_id = self._by_path
        trimmed = path.removesuffix("/")
        if trimmed in fixed:
            return fixed[trimmed], None
        head, _, rest = trimmed.removeprefix("/").partition("/")
        raw_id, slash, tail = rest.partition("/")
        if head == "connections" and raw_id:
            return below_id.get(slash + tail, {}), raw_id
        return {}, None

    def ims_operation(self, path: str) -> Operation | None:
        """The operation of IMS that a whole path is, by any of its paths and any method."""
        return self._ims_by_path.get(path)

    @cached_property
    def _ims_by_path(self) -> Mapping[str, Operation]:
        found = [o for o in self.operations.values() if o.host == "ims"]
        return {path: o for o in found for path in (o.path, *o.also)}

    def sandbox_looked_up(self, request: Request) -> str | None:
        """The sandbox that a request asks Sandbox Management about, "" for all that there are.

        None for other requests. Such a request is beside Flow Service: nothing that a client
        does there is judged.
        """
        everything, operation = self.operations["sandboxes.list"], self.operations["sandboxes.get"]
        if (request.method, request.path) == (everything.method, everything.path):
            return ""
        base = operation.path.removesuffix("{name}")
        if request.method != operation.method or not request.path.startswith(base):
            return None
        name = request.path.removeprefix(base)
        return path_segment(name) if name and "/" not in name else None

    def operation_of(self, request: Request) -> Operation | None:
        """The documented operation a request is, or None where it is none.

        Every check of every request asks this, so the request remembers the answer.
        """
        remembered = request.__dict__.get(_REMEMBERED)
        if remembered is not None and remembered[0] is self:
            return cast("Operation | None", remembered[1])
        operation = self._operation_of(request)
        request.__dict__[_REMEMBERED] = (self, operation)
        return operation

    def _operation_of(self, request: Request) -> Operation | None:
        path = request.path
        ims = self.ims_operation(path)
        if ims is not None:
            return ims if request.method == ims.method else None
        if not path.startswith(self.base_path + "/"):
            return None
        methods, _ = self.methods(path[len(self.base_path) :])
        return methods.get(request.method)

    def validator(self, schema: str) -> Validator:
        """The compiled validator of a schema in `schemas/`, made once."""
        if schema not in self._validators:
            from jsonschema import Draft202012Validator

            self._validators[schema] = Draft202012Validator(self.schemas[schema])
        return self._validators[schema]

    def fits(self, schema: str, document: Any) -> bool:
        """Whether a document satisfies a schema in `schemas/`; `validator` knows why not."""
        if schema not in self._checks:
            self._checks[schema] = compile_check(self.schemas[schema])
        check = self._checks[schema]
        return check(document) if check else bool(self.validator(schema).is_valid(document))

    def resolve_readings(self, chosen: Mapping[str, str]) -> Mapping[str, str]:
        """The defaults with `chosen` laid over them. Raises UsageError for unknown names."""
        for question, option in chosen.items():
            if question not in self.readings:
                raise unknown("reading", question, self.readings)
            options = [o.id for o in self.readings[question].options]
            if option not in options:
                raise unknown(f"option of the reading {question}", option, options)
        return {**self.default_readings, **chosen}

    def label_of(self, readings: Mapping[str, str]) -> str:
        """Those of some readings that are no defaults, "connections.delete-status=202,…".

        "default" where there are none.
        """
        other = sorted(readings.items() - self.default_readings.items())
        return ",".join(f"{question}={option}" for question, option in other) or "default"

    def select_clauses(self, patterns: Iterable[str]) -> tuple[Clause, ...]:
        """Clauses whose id matches one of the patterns ("connections.create.*"); all for none.

        Raises UsageError for a pattern that matches nothing.
        """
        patterns = tuple(patterns)
        if not patterns:
            return tuple(self.clauses.values())
        for pattern in patterns:
            if not any(fnmatchcase(clause, pattern) for clause in self.clauses):
                raise unknown("clause", pattern, self.clauses)
        return tuple(
            c for c in self.clauses.values() if any(fnmatchcase(c.id, p) for p in patterns)
        )
