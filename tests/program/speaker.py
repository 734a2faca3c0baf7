"""A right client as a program over stdin and stdout, and the faults that it has when told so.

    python tests/program/speaker.py [FAULT]

Standard library only: it stands for any program, and knows nothing of the kit.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.correct_clients.urllib_plain import FlowServiceProblem, client

OPERATIONS = [
    "create_connection",
    "get_connection",
    "list_connections",
    "count_connections",
    "update_connection",
    "delete_connection",
    "test_connection",
    "explore_connection",
]

FAULTS: Mapping[str, str] = {
    "says-a-banner": "program.stdout",
    "logs-to-stdout": "program.stdout",
    "logs-json-to-stdout": "program.stdout",
    "writes-a-huge-line": "program.stdout",
    "counts-by-itself": "program.ids",
    "answers-twice": "program.ids",
    "answers-hello-always": "program.ids",
    "leaves-out-null": "program.shape",
    "reports-a-text": "program.shape",
    "reports-a-text-as-status": "program.shape",
    "answers-nothing": "program.shape",
    "reads-ascii-only": "program.reads",
    "hangs-in-one-operation": "program.answers",
    "begins-a-line": "program.answers",
    "ends-in-one-operation": "program.alive",
    "ends-within-a-line": "program.alive",
    "answers-one-call": "program.alive",
    "ends-between-calls": "program.alive",
    "never-says-hello": "program.hello",
    "ends-at-once": "program.hello",
    "says-hello-wrongly": "program.hello",
    "knows-another-operation": "program.hello",
    "stays-after-bye": "program.ends",
}
"""Every fault, with the one clause that it breaks."""

ODDITIES = ("floods-stderr", "reports-without-message", "is-slow-to-read", "answers-in-ascii")
"""What a program may do, however odd it looks."""


def log(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


class Speaker:
    """Reads requests and answers them, with one fault or none."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.calls = 0
        self.operation = ""

    def answer(self, number: object, **held: Any) -> None:
        message = {"id": number, **held}
        if self.fault == "counts-by-itself" and number:
            message["id"] = 1_000_000 + self.calls
        if self.fault == "answers-hello-always":
            message["id"] = 0
        if self.fault == "leaves-out-null" and held == {"result": None}:
            del message["result"]
        if self.fault == "answers-nothing" and number and "result" in held:
            del message["result"]
        ascii_only = self.fault == "answers-in-ascii"
        line = json.dumps(message, ensure_ascii=ascii_only) + "\n"
        if self.fault == "ends-within-a-line" and number:
            write(line[: len(line) // 2])
            sys.exit(0)
        if self.fault == "begins-a-line" and self.operation == "get_connection":
            write(line[:-1])
            wait_for_ever()
        write(line)
        if self.fault == "ends-between-calls" and self.operation == "count_connections":
            os._exit(0)
        if self.fault == "answers-twice" and number:
            write(line)

    def run(self) -> None:
        if self.fault == "says-a-banner":
            write("Acme client 2.1 (c) Acme\n")
        if self.fault == "ends-at-once":
            log("Error: Cannot find module 'acme'")
            sys.exit(1)
        for line in sys.stdin:
            self.operation = ""
            try:
                request = json.loads(line)
            except ValueError:
                self.answer(None, error={"message": "no JSON"})
                continue
            self.serve(request)

    def serve(self, request: Mapping[str, Any]) -> None:
        number, self.operation = request["id"], request["op"]
        if self.operation == "hello":
            self.hello(number, request["args"])
        elif self.operation == "bye":
            if self.fault == "stays-after-bye":
                wait_for_ever()
            sys.exit(0)
        else:
            self.calls += 1
            self.call(number, request)

    def hello(self, number: int, args: Mapping[str, Any]) -> None:
        assert args == {"protocol": 1}, args
        operations = list(OPERATIONS)
        if self.fault == "never-says-hello":
            log("connecting to the database")
            wait_for_ever()
        if self.fault == "knows-another-operation":
            operations.append("make_connection")
        result: Any = {"name": "speaker 1.0", "operations": operations}
        self.answer(number, result="hello" if self.fault == "says-hello-wrongly" else result)

    def call(self, number: int, request: Mapping[str, Any]) -> None:
        self.misbehave(request)
        if (
            self.fault == "reads-ascii-only"
            and not json.dumps(request, ensure_ascii=False).isascii()
        ):
            self.answer(None, error={"message": "invalid byte"})
            return
        settings: Any = SimpleNamespace(**request["settings"])
        args = dict(request["args"])
        if "connection" in args:
            args["connection"] = SimpleNamespace(**args["connection"])
        try:
            made = client(settings)
            returned = getattr(made, self.operation)(**args)
            result = list(returned) if self.operation == "list_connections" else returned
        except (FlowServiceProblem, ValueError) as problem:
            self.report(number, problem)
        else:
            self.answer(number, result=result)

    def report(self, number: int, problem: Exception) -> None:
        status = getattr(problem, "status", None)
        code = str(problem).partition(": ")[2].split(" ")[0] or None
        error = {"status": status, "code": code, "message": str(problem)}
        if self.fault == "reports-a-text":
            self.answer(number, error=f"{status} {problem}")
            return
        if self.fault == "reports-a-text-as-status":
            error["status"] = str(status)
        if self.fault == "reports-without-message":
            error = {"status": status, "code": code}
        self.answer(number, error=error)

    def misbehave(self, request: Mapping[str, Any]) -> None:
        match self.fault:
            case "logs-to-stdout":
                write(f"calling with {request['settings']['access_token']}\n")
            case "logs-json-to-stdout":
                write('{"level": "info", "msg": "calling"}\n')
            case "writes-a-huge-line" if self.calls == 2:
                write("x" * 17 * 1024 * 1024 + "\n")
            case "floods-stderr":
                for _ in range(40):
                    sys.stderr.write("y" * 4_096)
            case "is-slow-to-read" if self.calls == 2:
                time.sleep(0.3)
            case "hangs-in-one-operation" if self.operation == "get_connection":
                log("waiting with", request["settings"]["access_token"])
                wait_for_ever()
            case "ends-in-one-operation" if self.operation == "get_connection":
                log("Traceback: the token", request["settings"]["access_token"], "is odd")
                sys.exit(3)
            case "answers-one-call" if self.calls == 2:
                os._exit(0)


def wait_for_ever() -> None:
    while True:
        time.sleep(60)


def main(words: list[str]) -> None:
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    Speaker(words[0] if words else "").run()


if __name__ == "__main__":
    main(sys.argv[1:])
