"""The examples of docs/server.md, run by a shell as a reader would."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import Running, running

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as made:
        yield made


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_works(server: Running, block: str) -> None:
    shell = 'set -e\ncurl() { command curl --fail-with-body --max-time 10 "$@"; echo; }\n'
    variables = {
        "BASE": server.ready["base_url"],
        "CONTROL": server.ready["control_url"],
        "ROOT": f"http://{server.netloc}",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    result = subprocess.run(
        ["bash", "-c", shell + block], env=variables, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_key_of_the_ready_line_is_explained(server: Running) -> None:
    page = PAGE.read_text("utf-8")
    for key in (*server.ready, *server.ready["credentials"]):
        assert f"`{key}`" in page
