"""aepmock judge --attach: a program that somebody else started."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.program.judging import speaker

FEW = ("--select", "connections.get.*", "--examples", "1")


@contextmanager
def waiting(*words: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A judge that waits, and its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "aepmock", "judge", *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.fullmatch(
            r"aepmock: waiting at 127\.0\.0\.1:(\d+) for your program to connect; Ctrl-C ends it\n",
            line,
        )
        assert found, line
        assert len(line) <= 80
        try:
            yield process, int(found[1])
        finally:
            process.kill()


def attach(port: int, fault: str = "") -> subprocess.Popen[bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setblocking(True)
        return subprocess.Popen(
            speaker(fault),
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=subprocess.DEVNULL,
        )


def test_a_program_that_connects_is_judged(tmp_path: Path) -> None:
    with waiting(*FEW, "--attach", cwd=tmp_path) as (process, port), attach(port) as program:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert out.startswith("speaker 1.0\n")
        assert program.wait(10) == 0


def test_a_program_that_hangs_up_is_told_so_and_not_waited_for(tmp_path: Path) -> None:
    with (
        waiting(*FEW, "--attach", "127.0.0.1:0", cwd=tmp_path) as (process, port),
        attach(port, "ends-in-one-operation"),
    ):
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "program.alive (must)" in out
    assert "it closed the connection" in out
    assert "aepmock judge --select 'connections.get.*' --seed 0 --examples 1 --attach" in out


def test_waiting_ends_with_an_interrupt(tmp_path: Path) -> None:
    with waiting(*FEW, "--attach", cwd=tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert process.stderr.read() == "aepmock: interrupted\n"
