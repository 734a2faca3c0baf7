"""The grammar of faults, read and checked in one place.

One grammar for Python, the marker, the control API and the command line:

    connections.create: 503, 503, then good; times=2; call=3

What is not in it is refused with the nearest right word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from aepmock.contract import Contract
from aepmock.errors import UsageError, unknown
from aepmock.faults.model import (
    DIALECT,
    KINDS,
    LOSABLE,
    LOST,
    REDIRECTS,
    Fault,
    Step,
    When,
)

LONGEST_S = 3_600.0
MOST_TIMES = 1_000_000
MOST_STEPS = 1_000
WHEN = ("call", "id", "name", "header", "body")
OPTIONS = ("times", "required", *WHEN)

_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_AFTER = re.compile(r"^(?:(.*) )?after (\d\S*(?: ?(?:ms|s|m|h))?)$")
_RETRY = re.compile(r"^(.*) retry-after (\S+(?: ?(?:ms|s|m|h))?)$")
_DEFAULT_STATUS = {"html": 502, "redirect": 307}
_DEFAULT_SECONDS = {"slow body": 1.0}

What = str | Step | Sequence[str | Step]


def make_fault(
    contract: Contract,
    operation: str,
    what: What | None = None,
    *,
    code: str | None = None,
    status: int | None = None,
    times: int = 1,
    when: Mapping[str, Any] | When | None = None,
    required: bool = True,
) -> Fault:
    """A fault from what a test, a marker or the control API says.

    `what` is text in the grammar ("503, 503"), a Step, or several; `code` and `status` are
    short for one step: a code of the catalogue, or a status with an empty body. Raises
    UsageError, with the nearest right word, for everything that is not in the grammar.
    """
    if not isinstance(operation, str) or not any(
        fnmatchcase(known, operation) for known in contract.operations
    ):
        raise unknown("operation", str(operation), contract.operations)
    if sum(given is not None for given in (what, code, status)) != 1:
        raise UsageError("a fault takes either its words ('503, 503'), or a code, or a status")
    if code is not None:
        what = Step("code", code=code)
    elif status is not None:
        what = Step("bare", status=status)
    assert what is not None
    steps = _steps(contract, what)
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MOST_TIMES:
        raise UsageError(f"times takes a whole number from 1 to {MOST_TIMES}, not {times!r}")
    if not isinstance(required, bool):
        raise UsageError(f"required is True or False, not {required!r}")
    return Fault(operation, steps, times, _when(when), required)


def read_fault(contract: Contract, text: str) -> Fault:
    """A fault as one text: "connections.create: 503, 503; times=2". Raises UsageError."""
    operation, colon, rest = text.partition(":")
    words, *options = rest.split(";")
    if not colon or not words.strip():
        raise UsageError(
            "a fault is written OPERATION: WHAT, such as connections.create: 503, 503; "
            f"not {text!r}"
        )
    times, required, when = 1, True, dict[str, Any]()
    for option in options:
        name, equals, value = (part.strip() for part in option.partition("="))
        if name not in OPTIONS:
            raise unknown("option of a fault", name, OPTIONS)
        if not equals or not value:
            raise UsageError(f"the option {name} of a fault is written {name}=…")
        if name in when and name != "header":
            raise UsageError(f"the option {name} of a fault was given twice")
        if name == "header":
            header, equals, value = value.partition("=")
            if not equals:
                raise UsageError(f"a fault's header is written header=NAME=VALUE, not {option!r}")
            when.setdefault("header", {})[header.strip()] = value.strip()
        elif name == "times":
            times = _whole(name, value)
        elif name == "required":
            required = _truth(name, value)
        else:
            when[name] = _whole(name, value) if name == "call" else value
    return make_fault(contract, operation.strip(), words, times=times, when=when, required=required)


def faults_of(contract: Contract, given: Iterable[Any]) -> tuple[Fault, ...]:
    """Faults of a list: each a text, a Fault, or a mapping with operation, fault, times, when."""
    if isinstance(given, str | Mapping | Fault) or not isinstance(given, Iterable):
        raise UsageError(f"faults takes a list, faults=['connections.create: 503'], not {given!r}")
    found = []
    for one in given:
        if isinstance(one, str):
            found.append(read_fault(contract, one))
        elif isinstance(one, Fault):
            told: dict[str, Any] = {"times": one.times, "when": one.when, "required": one.required}
            found.append(make_fault(contract, one.operation, one.steps, **told))
        elif isinstance(one, Mapping):
            fields = dict(one)
            for name in fields:
                if name not in FIELDS:
                    raise unknown("field of a fault", str(name), FIELDS)
            if "operation" not in fields:
                raise UsageError(f"a fault needs an operation: {one!r}")
            found.append(make_fault(contract, what=fields.pop("fault", None), **fields))
        else:
            raise UsageError(f"a fault is a text or a mapping, not {one!r}")
    return tuple(found)


FIELDS = ("operation", "fault", "code", "status", "times", "when", "required")
"""Of a fault as a mapping: in a marker, and in the control API."""


def _steps(contract: Contract, what: What) -> tuple[Step, ...]:
    if isinstance(what, str | Step):
        what = [what]
    if not isinstance(what, Sequence) or not all(isinstance(one, str | Step) for one in what):
        raise UsageError(f"a fault is told in words, '503, 503', not as {what!r}")
    found: list[Step] = []
    for one in what:
        parts = [one] if isinstance(one, Step) else one.split(",")
        found += [
            _checked(contract, part) if isinstance(part, Step) else _read_step(contract, part)
            for part in parts
        ]
    if not 1 <= len(found) <= MOST_STEPS:
        raise UsageError(f"a fault has from 1 to {MOST_STEPS} steps, not {len(found)}")
    return tuple(found)


def _read_step(contract: Contract, text: str) -> Step:
    words = " ".join(text.split()).removeprefix("then ")
    lost = False
    head, colon, rest = words.partition(":")
    if colon and " ".join(head.split()).lower() == LOST:
        lost, words = True, rest.strip()
    after_s, retry_after_s = 0.0, None
    if found := _AFTER.match(words):
        words, after_s = found[1] or "", _seconds(found[2])
    if found := _RETRY.match(words):
        words, retry_after_s = found[1], _whole_seconds(found[2])
    if not words:
        raise UsageError(f"a step of a fault is missing in {text!r}; such as 503, reset, timeout")
    extra: dict[str, Any] = {"after_s": after_s, "retry_after_s": retry_after_s, "lost": lost}
    if re.fullmatch(r"\d{3}", words):
        return _checked(contract, Step("status", status=int(words), **extra))
    if words in contract.errors or re.fullmatch(r"\d{4}-\d{3}|\d{6}", words):
        return _checked(contract, Step("code", code=words, **extra))
    kind = _kind(words)
    return _checked(contract, _with_rest(kind, words[len(kind) :].split(), extra))


def _kind(words: str) -> str:
    """The kind that the words begin with: the longest one."""
    lower = words.lower()
    for kind in sorted(KINDS, key=len, reverse=True):
        if lower == kind or lower.startswith(kind + " "):
            return kind
    if lower == "reset after reading":
        return "reset"
    asked = re.sub(r"(?: [\d.]+ ?(?:ms|s|m|h)?| https?:\S*)+$", "", lower)
    raise unknown("fault", asked, [*KINDS, LOST, *map(str, DIALECT)])


def _with_rest(kind: str, rest: list[str], extra: Mapping[str, Any]) -> Step:
    """A step of a kind and the words that follow it."""
    takes = KINDS[kind].takes
    made = Step(kind, status=_DEFAULT_STATUS.get(kind), seconds=_DEFAULT_SECONDS.get(kind), **extra)
    if kind == "reset" and rest == ["after", "reading"]:
        return made
    if "seconds" in takes and rest:
        made, rest = replace(made, seconds=_seconds(" ".join(rest))), []
    if "status" in takes and rest and re.fullmatch(r"\d+", rest[0]):
        made, rest = replace(made, status=int(rest[0])), rest[1:]
    if "url" in takes and rest:
        made, rest = replace(made, url=rest[0]), rest[1:]
    if rest:
        raise UsageError(f"the fault {kind!r} takes no {' '.join(rest)!r}: {KINDS[kind].about}")
    return made


def _checked(contract: Contract, step: Step) -> Step:
    """The step, whose fields are in order, whoever made it."""
    if step.kind not in (*KINDS, "status", "code"):
        raise unknown("fault", step.kind, KINDS)
    if step.kind == "code" and step.code not in contract.errors:
        raise unknown("code", str(step.code), contract.errors)
    takes = KINDS[step.kind].takes if step.kind in KINDS else (step.kind,)
    for name in ("seconds", "status", "url", "code"):
        given = getattr(step, name) is not None
        if given and name not in takes:
            raise UsageError(f"the fault {step.kind!r} takes no {name}")
        if not given and name in takes and name != "url":
            raise UsageError(f"the fault {step.kind!r} lacks its {name}: {_about(step.kind)}")
    if step.status is not None and not 200 <= step.status <= 599:
        raise UsageError(f"{step.status} is no status of a final answer: 200 to 599")
    if step.kind == "redirect" and step.status not in REDIRECTS:
        raise UsageError(f"{step.status} is no redirect: {', '.join(map(str, REDIRECTS))}")
    if step.url is not None and not re.fullmatch(r"https?://[!-~]+", step.url):
        raise UsageError(f"a redirect leads to a whole URL, https://…, not {step.url!r}")
    if step.retry_after_s is not None and _status_of(contract, step) is None:
        raise UsageError(f"a Retry-After goes with a status or a code, not with {step.kind!r}")
    if step.lost:
        _check_lost(contract, step)
    return step


def _check_lost(contract: Contract, step: Step) -> None:
    status = _status_of(contract, step)
    if step.kind not in LOSABLE and (status is None or status < 500):
        if step.place == "way":
            raise UsageError(f"with {step.kind!r} the service does what was asked in any case")
        raise UsageError(
            f"an answer can't be lost to {replace(step, lost=False)}; to {', '.join(LOSABLE)}, "
            "a status or a code from 500 on"
        )


def _status_of(contract: Contract, step: Step) -> int | None:
    if step.kind == "code":
        return contract.errors[step.code or ""].status
    return step.status if step.kind in ("status", "bare", "html") else None


def _about(kind: str) -> str:
    return KINDS[kind].about if kind in KINDS else f"Step({kind!r}, {kind}=…)"


def _when(given: Mapping[str, Any] | When | None) -> When:
    if given is None or isinstance(given, When):
        return given or When()
    if not isinstance(given, Mapping):
        raise UsageError(f"when takes a mapping such as {{'call': 3}}, not {given!r}")
    for name in given:
        if name not in WHEN:
            raise unknown("condition of a fault", str(name), WHEN)
    made = dict(given)
    call = made.get("call", 1)
    if isinstance(call, bool) or not isinstance(call, int) or not 1 <= call <= MOST_TIMES:
        raise UsageError(f"call takes a whole number from 1 to {MOST_TIMES}, not {call!r}")
    header = made.get("header", {})
    if not isinstance(header, Mapping):
        raise UsageError("header takes a mapping of names to values: {'x-sandbox-name': 'dev'}")
    texts = [made.get(name) for name in ("id", "name", "body")]
    if not all(isinstance(t, str) for t in (*header, *header.values(), *texts) if t is not None):
        raise UsageError("id, name, header and body of a condition are texts")
    made["header"] = tuple(sorted(header.items()))
    return When(**made)


def _seconds(text: str) -> float:
    found = _SECONDS.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no time; write 0.2s, 200ms, 3s or 1m")
    seconds = round(float(found[1]) * _UNITS[found[2]], 6)
    if seconds > LONGEST_S:
        raise UsageError(f"a fault takes at most {LONGEST_S:g} s, not {text}")
    return seconds


def _whole_seconds(text: str) -> int:
    seconds = _seconds(text)
    if seconds != int(seconds):
        raise UsageError(f"a Retry-After has whole seconds (RFC 9110 10.2.3), not {text}")
    return int(seconds)


def _truth(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(f"{name} takes true or false, not {text!r}")
    return text == "true"


def _whole(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise UsageError(f"{name} takes a whole number, not {text!r}")
    return int(text)
