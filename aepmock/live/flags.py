"""The flags of live runs, for the command line (`--live…`) and the plugin (`--aepmock-live…`).

Imported by the plugin at load, so standard library only. There is no environment variable for
`live` itself: a run that reaches a real sandbox is asked for by a flag.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PLAN_VARIABLE = "_AEPMOCK_PLAN"
"""By which `aepmock judge` hands the plan to the suite's process, which takes it out at once."""

EXAMPLES = 2
"""How many examples a test of a live run tries, unless the user says otherwise."""


@dataclass(frozen=True)
class Flag:
    """A flag: `kind` is "switch", "list", "number", "rate" or "text"."""

    name: str
    kind: str
    about: str

    @property
    def attribute(self) -> str:
        """Its name in parsed arguments, "live_host"."""
        return self.name.replace("-", "_")


FLAGS = (
    Flag("live", "switch", "judge against the real sandbox of AEPMOCK_LIVE_*: it is written to"),
    Flag("live-file", "text", "file of AEPMOCK_LIVE_… lines that only you can read"),
    Flag("live-host", "list", "a further host, besides Adobe's and loopback, that may be reached"),
    Flag("live-sandbox", "text", "the sandbox"),
    Flag("live-allow-sandbox", "text", "allow this very sandbox, though it is for production"),
    Flag("live-send-invalid", "switch", "also send a few requests that the service is to refuse"),
    Flag("live-record", "text", "keep what is seen, without secrets, in this folder"),
    Flag("fail-on-drift", "switch", "exit status 1 if the service is not as the mock has it"),
    Flag("live-max-requests", "number", "requests that a run may send (default: 500)"),
    Flag("live-rate", "rate", "requests a second (default: 5)"),
)


_METAVARS = {"live-file": "FILE", "live-record": "DIR"}


def add_flags(add: Callable[..., Any], *, prefix: str, only: frozenset[str] | None = None) -> None:
    """Adds the flags to a parser; `add` is its add_argument or addoption."""
    for flag in FLAGS:
        if only is not None and flag.name not in only:
            continue
        kwargs: dict[str, Any] = {"help": flag.about, "default": None}
        match flag.kind:
            case "switch":
                kwargs |= {"action": "store_true", "default": False}
            case "list":
                kwargs |= {"action": "append", "metavar": "HOST"}
            case "number":
                kwargs |= {"type": int, "metavar": "N"}
            case "rate":
                kwargs |= {"type": float, "metavar": "N"}
            case _:
                kwargs |= {"metavar": _METAVARS.get(flag.name, "NAME")}
        add(f"--{prefix}{flag.name}", **kwargs)


def given(get: Callable[[str], Any], *, prefix: str = "") -> dict[str, Any]:
    """The flags by name, as they were parsed; `get` looks an attribute of the arguments up."""
    return {flag.name: get(f"{prefix}{flag.attribute}") for flag in FLAGS}
