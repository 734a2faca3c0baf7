"""The adapters that the documentation shows are judged as they stand, around a correct client."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aepmock.client_api import ClientUnderTest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

ACME = '''
"""A small client of Flow Service that creates connections, and does so as it should."""

import re
import ssl
from dataclasses import dataclass

import httpx


@dataclass
class Made:
    id: str
    etag: str | None


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(f"the service said {status} {code or ''}")
        self.status, self.code = status, code


class Client:
    def __init__(self, base_url, *, token, api_key, org, sandbox, timeout, ca_file=None):
        trust = ssl.create_default_context(cafile=ca_file)
        self._http = httpx.Client(verify=trust, timeout=timeout)
        self._url = f"{base_url}/connections"
        self._headers = {
            "Authorization": f"Bearer {token}",
            "x-api-key": api_key,
            "x-gw-ims-org-id": org,
            "x-sandbox-name": sandbox,
        }
        if not all(value.isascii() and value.isprintable() for value in self._headers.values()):
            raise ValueError("a setting that no header can hold")

    def connect(self, name, *, spec, auth, description=None):
        spec_id, version = spec
        body = {
            "name": name,
            "connectionSpec": {"id": spec_id, **({"version": version} if version else {})},
            "auth": {"specName": auth[0], "params": dict(auth[1])},
        }
        if description is not None:
            body["description"] = description
        answer = self._http.post(self._url, json=body, headers=self._headers)
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            document = {}
        if not answer.is_success or not isinstance(document.get("id"), str):
            raise Refused(answer.status_code, self._code(document))
        return Made(document["id"], document.get("etag"))

    @staticmethod
    def _code(document):
        found = document.get("error_code") or document.get("type") or document.get("message")
        details = document.get("errorDetails")
        words = [str(found)] + [str(d) for d in (details if isinstance(details, list) else [])]
        text = " ".join([*words, str(document.get("errorMessage", ""))])
        # The codes alone: the text of a refusal may repeat a secret that was sent.
        return " ".join(re.findall(r"\\b[0-9]{4}-[0-9]{3}\\b|\\b[0-9]{6}\\b", text))
'''


def blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


ADAPTERS = [
    pytest.param(block, id=f"{page.name} {number}")
    for page in PAGES
    for number, block in enumerate(blocks(page))
    if "from acme import" in block
]


def test_there_are_adapters_in_the_documentation() -> None:
    assert ADAPTERS


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_is_judged_as_it_stands_and_breaks_nothing(adapter: str, tmp_path: Path) -> None:
    package = tmp_path / "acme"
    package.mkdir()
    (package / "__init__.py").write_text(ACME, "utf-8")
    (package / "judged.py").write_text(adapter, "utf-8")
    words = [sys.executable, "-m", "aepmock", "judge", "acme.judged:client"]
    words += ["--examples", "5", "--report", "report.json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (tmp_path / "report.json").exists(), done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    broken = {c["id"]: c["findings"][0] for c in report["clauses"] if c["findings"]}
    assert broken == {}
    assert done.returncode == 0
    assert report["summary"]["met"] > 40


def test_the_methods_that_the_guide_lists_are_those_that_the_suite_calls() -> None:
    (listed,) = (b for b in blocks(ROOT / "docs" / "clients.md") if "def create_connection" in b)
    names: dict[str, Any] = {}
    exec("from __future__ import annotations\n" + listed, names)
    functions = {name: value for name, value in names.items() if inspect.isfunction(value)}
    assert {name: _parameters(made) for name, made in functions.items()} == {
        name: _parameters(getattr(ClientUnderTest, name)) for name in functions
    }
    assert {"create_connection", "explore_connection", "close"} <= functions.keys()


def _parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default) for p in found]
