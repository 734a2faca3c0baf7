"""What a caller can learn from an exception: the HTTP status and the service's code.

Lenient on purpose: a client may report errors in any way, and whatever a caller could reach
counts, be it an attribute, the response that hangs on the exception, a cause, or the text.
"""

from __future__ import annotations

import dis
import re
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

_STATUS_NAMES = ("status", "status_code", "code", "http_status", "statusCode")
_CODE_NAMES = ("code", "error_code", "errorCode", "error", "type")
_DEPTH = 4
"""How far a catcher may have to look: error.errors[0].details["code"] is not too far."""


def knows_status(error: BaseException, status: int) -> bool:
    """Whether a catcher of `error` can learn that the HTTP status was `status`."""
    wanted = re.compile(rf"(?<![0-9]){status}(?![0-9])")
    for part in _chain(error):
        if status in _numbers(part):
            return True
        if any(wanted.search(text) for text in _texts(part)):
            return True
    return False


def knows_code(error: BaseException, code: str) -> bool:
    """Whether a catcher of `error` can learn the service's `code` ("1404-412", "403010")."""
    for part in _chain(error):
        if code.isdigit() and int(code) in _numbers(part):
            return True
        if any(code in text for text in _texts(part)):
            return True
    return False


def crashed(error: BaseException) -> bool:
    """Whether an exception is an accident in the client's own code: it reports nothing.

    A KeyError that a client raises itself is its way to say something; one that comes of
    `document["id"]`, or out of a library that it calls, is not.
    """
    kind = type(error)
    if kind in _ENDINGS or kind is NotImplementedError:
        return True
    if kind not in _ACCIDENTS:
        return False
    last = _innermost(error.__traceback__)
    if last is None:
        return False
    name = str(last.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    raised = dis.opname[last.tb_frame.f_code.co_code[last.tb_lasti]] == "RAISE_VARARGS"
    return not raised or name in NOT_OWN


def _innermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback


_ENDINGS = frozenset({SystemExit, KeyboardInterrupt})
_ACCIDENTS = frozenset(
    {
        TypeError,
        AttributeError,
        KeyError,
        IndexError,
        NameError,
        UnboundLocalError,
        RecursionError,
        ZeroDivisionError,
    }
)
"""Types that Python itself raises where a program is wrong; a subclass is somebody's own."""
NOT_OWN = sys.stdlib_module_names | {
    "aiohttp",
    "h11",
    "httpcore",
    "httpx",
    "httpx2",
    "multidict",
    "requests",
    "urllib3",
}
"""Libraries that a client calls: what those raise, or keep on an exception, is not its own."""


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        part = waiting.pop(0)
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting += [part.__cause__, part.__context__]
        if isinstance(part, BaseExceptionGroup):
            waiting += part.exceptions
        waiting += [arg for arg in part.args if isinstance(arg, BaseException)]


def _numbers(error: BaseException) -> set[int]:
    found = set()
    for holder in (error, getattr(error, "response", None)):
        for name in _STATUS_NAMES:
            value = _safely(holder, name)
            if isinstance(value, int) and not isinstance(value, bool):
                found.add(int(value))
    for value in (*error.args, *_attributes(error)):
        if isinstance(value, int) and not isinstance(value, bool):
            found.add(value)
    return found


def _texts(error: BaseException) -> Iterator[str]:
    yield str(error)
    for name in (*_STATUS_NAMES, *_CODE_NAMES):
        value = _safely(error, name)
        if isinstance(value, str | bytes | Mapping):
            yield from _flat(value, _DEPTH)
    yield from (str(note) for note in getattr(error, "__notes__", ()))
    for value in (*error.args, *_attributes(error)):
        yield from _flat(value, _DEPTH)
    response = getattr(error, "response", None)
    for name in ("text", "content", "body"):
        value = _safely(response, name)
        if not callable(value):
            yield from _flat(value, 1)


def _attributes(holder: object) -> tuple[Any, ...]:
    try:
        own = tuple(vars(holder).values())
    except TypeError:
        own = ()
    slots = (s for kind in type(holder).__mro__ for s in _slots(kind))
    return own + tuple(_safely(holder, name) for name in slots)


def _slots(kind: type) -> tuple[str, ...]:
    """A class's slots; one alone may be written as a text."""
    slots = getattr(kind, "__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _flat(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield bytes(value).decode("utf-8", "replace")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif depth:
        for inner in _inside(value, own=depth == _DEPTH):
            yield from _flat(inner, depth - 1)


def _inside(value: Any, *, own: bool) -> list[Any]:
    """What a collection or a record holds; `own` says that an error itself holds it."""
    try:
        if isinstance(value, Mapping):
            return [part for pair in value.items() for part in pair]
        if isinstance(value, Sequence | Set):
            return list(value)
    except Exception:
        return []  # some collections do not let themselves be read
    if isinstance(value, _NO_RECORDS):
        return []
    # The answer that an error keeps is looked into, the pools and sockets behind it are not.
    foreign = type(value).__module__.partition(".")[0] in _TRANSPORTS
    return list(_attributes(value)) if own or not foreign else []


_NO_RECORDS = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)
"""Objects whose attributes are no part of what an error says."""
_TRANSPORTS = frozenset(
    [
        "aiohttp",
        "asyncio",
        "h11",
        "http",
        "httpcore",
        "httpx",
        "requests",
        "socket",
        "ssl",
        "urllib3",
    ]
)


def _safely(holder: Any, name: str) -> Any:
    """An attribute of someone else's object; a property that raises tells nothing."""
    try:
        return getattr(holder, name, None)
    except Exception:
        return None
