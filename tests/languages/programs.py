"""The example programs as a user starts them, and a way to speak with one by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS: Mapping[str, Any] = {
    "access_token": "hush-access-token",
    "api_key": "key",
    "ims_org_id": "org@AdobeOrg",
    "sandbox_name": "dev",
    "ims_token_url": "http://127.0.0.1:9/ims/token/v3",
    "client_id": "an id",
    "client_secret": "hush-client-secret",
    "scopes": "openid",
    "timeout_s": 5.0,
    "ca_file": None,
}


@dataclass(frozen=True)
class Example:
    """An example program: what starts it, where it stands, and what it needs."""

    start: tuple[str, ...]
    path: str
    needs: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return (ROOT / self.path).read_text("utf-8")

    def command(self, path: Path | None = None) -> list[str]:
        """The command for the program, or for a changed copy of it at `path`.

        Skips the test that asks where something is not installed, but not in CI.
        """
        for program in self.needs:
            if shutil.which(program) is None and not os.environ.get("CI"):
                pytest.skip(f"{program} is not installed")
        return [*self.start, str(path or ROOT / self.path)]


EXAMPLES = {
    "node": Example(("node",), "examples/node/client.mjs", ("node",)),
    "java": Example(("java",), "examples/java/Client.java", ("java",)),
    "shell": Example(("bash",), "examples/shell/client.sh", ("bash", "curl", "jq")),
    "python": Example((sys.executable,), "examples/python/client.py"),
}


@dataclass
class Spoken:
    """A program that runs, asked by hand; `settings` go with every call."""

    process: subprocess.Popen[bytes]
    settings: dict[str, Any] = field(default_factory=lambda: dict(SETTINGS))

    def write(self, octets: bytes) -> dict[str, Any]:
        """The reply to one line."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(octets + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), f"{self.process.args!r} wrote {line!r}"
        reply = json.loads(line)
        assert isinstance(reply, dict)
        return reply

    def ask(self, operation: str, **args: Any) -> dict[str, Any]:
        """The reply to a call, which has the id of the call."""
        message = {"id": 7, "op": operation, "settings": self.settings, "args": args}
        reply = self.write(json.dumps(message, ensure_ascii=False).encode())
        assert reply.pop("id") == 7
        return reply

    def error(self, operation: str, **args: Any) -> dict[str, Any]:
        reply = self.ask(operation, **args)
        assert reply.keys() == {"error"}, reply
        assert reply["error"].keys() == {"status", "code", "message"}
        assert "hush" not in reply["error"]["message"]
        return dict(reply["error"])


@contextmanager
def speaking(command: Sequence[str], **environment: str) -> Iterator[Spoken]:
    """A program that was said hello to; it says nothing on stderr, and ends when told."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "NODE_NO_WARNINGS": "1", **environment},
    ) as process:
        try:
            spoken = Spoken(process)
            assert spoken.write(b'{"id":0,"op":"hello","args":{"protocol":1}}')["id"] == 0
            yield spoken
            assert spoken.write(b'{"id":9,"op":"bye"}')["id"] == 9
            out, log = process.communicate(timeout=5)
            assert (out, log, process.returncode) == (b"", b"", 0)
        finally:
            process.kill()
