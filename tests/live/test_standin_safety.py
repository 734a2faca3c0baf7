"""What a live run leaves in a sandbox that it must not enter, and after it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.live_runs import command, environment, judge_live, judging
from tests.live.standin import Manner, standing_in


def test_a_production_sandbox_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with standing_in(Manner(sandbox_type="production")) as standin:
        result = judge_live(standin, tmp_path)
        assert result.status == 2
        assert "production" in result.err
        look_up = "GET /data/foundation/sandbox-management/sandboxes/acme-dev"
        assert standin.requests == ["POST /ims/token/v3", look_up]
        assert not standin.foreign_touched


@pytest.mark.skipif(os.name != "posix", reason="kills a group of processes")
def test_after_a_kill_in_the_middle_of_a_create_the_sweep_leaves_nothing(tmp_path: Path) -> None:
    with standing_in() as standin:
        process = subprocess.Popen(
            [sys.executable, "-m", "aepmock", *judging(), "--select", "lifecycle.*"],
            cwd=tmp_path,
            env=environment(standin),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        def kill_at_the_second() -> None:
            if len(standin.created) == 2:
                os.killpg(process.pid, signal.SIGKILL)

        standin.after_create = kill_at_the_second
        assert process.wait(timeout=240) == -signal.SIGKILL
        assert standin.left_behind
        swept = command(standin, tmp_path, "live", "sweep")
        assert swept.returncode == 0, swept.stdout + swept.stderr
        assert standin.left_behind == []
        assert not standin.foreign_touched
