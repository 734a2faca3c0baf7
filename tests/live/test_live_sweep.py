"""A sweep takes what a journal says for data: it deletes what is provably the run's, no more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aepmock.errors import UsageError
from aepmock.live import private
from aepmock.live.session.journal import FOLDER, read_journal
from aepmock.live.session.sweep import sweep
from aepmock.live.settings import BASE_URL
from aepmock.messages import Headers, Request, Response
from tests.live.live_runs import command, environment
from tests.live.sandboxes import Upstream, created
from tests.live.standin import ORG, SANDBOX, Manner, standing_in

RUN = "00c0ffee00"
OURS = f"aepmock-{RUN}-1-a connection"


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory of this test's own."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    monkeypatch.setattr(tempfile, "tempdir", None)


def begun(upstream: Upstream, run: str = RUN, **changed: Any) -> dict[str, Any]:
    about = {
        "event": "begin",
        "schema": "aepmock-live-journal/1",
        "run": run,
        "started_ms": 0,
        "base_url": BASE_URL,
        "org_id": upstream.credentials.ims_org_id,
        "sandbox": "dev",
    }
    return {**about, **changed}


def journal(folder: Path, lines: list[Any], *, run: str = RUN) -> Path:
    path = folder / FOLDER / f"{run}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def listing(connection_id: str, name: str = OURS) -> list[dict[str, Any]]:
    """The lines of a connection that was created and not deleted."""
    return [
        {"event": "creating", "name": name},
        {"event": "created", "name": name, "id": connection_id},
    ]


def swept(upstream: Upstream, folder: Path, **asked: Any) -> tuple[int, str]:
    said: list[str] = []
    changed = asked.pop("settings", {})
    given: dict[str, Any] = {"sandbox": None, "run": None, "dry_run": False, **asked}
    status = sweep(
        upstream.settings(**changed),
        folder=folder,
        say=said.append,
        ports=upstream.ports,
        **given,
    )
    return status, "\n".join(said)


def seeded(upstream: Upstream, name: str, sandbox: str = "dev") -> str:
    org = upstream.credentials.ims_org_id
    return str(upstream.service.seed_connection(org, sandbox, name=name)["id"])


def writes(upstream: Upstream) -> list[str]:
    return [r for r in upstream.flow_requests() if not r.startswith("GET ")]


# what is deleted


def test_a_connection_of_the_run_is_read_and_then_deleted(
    upstream: Upstream, tmp_path: Path
) -> None:
    made = seeded(upstream, OURS)
    journal(tmp_path, [begun(upstream), *listing(made)])
    assert swept(upstream, tmp_path)[0] == 0
    assert upstream.names() == []
    asked = upstream.flow_requests()
    assert asked.index(f"GET /connections/{made}") < asked.index(f"DELETE /connections/{made}")


@pytest.mark.parametrize(
    "name", ["a colleague's", "aepmock-", "aepmock-00c0ffee01-1-x", f"aepmock-{RUN}", f" {OURS}"]
)
def test_a_connection_of_another_name_is_not_deleted_whatever_the_journal_calls_it(
    upstream: Upstream, tmp_path: Path, name: str
) -> None:
    foreign = seeded(upstream, name)
    journal(tmp_path, [begun(upstream), *listing(foreign)])
    status, said = swept(upstream, tmp_path)
    assert status == 1
    assert upstream.names() == [name]
    assert writes(upstream) == []
    assert f"{foreign} not deleted, it is not of run {RUN}" in said


def test_a_connection_that_is_gone_is_not_asked_for_again(
    upstream: Upstream, tmp_path: Path
) -> None:
    journal(tmp_path, [begun(upstream), *listing("0a11ce00-0000-4000-8000-000000000001")])
    assert swept(upstream, tmp_path)[0] == 0
    assert writes(upstream) == []
    assert "nothing to sweep" in swept(upstream, tmp_path)[1]


def test_a_connection_that_can_not_be_read_stays(upstream: Upstream, tmp_path: Path) -> None:
    made = seeded(upstream, OURS)
    journal(tmp_path, [begun(upstream), *listing(made)])

    def unreadable(request: Request) -> Response | None:
        return Response(403) if made in request.path or "?" in request.target else None

    upstream.answers.append(unreadable)
    status, said = swept(upstream, tmp_path)
    assert (status, upstream.names()) == (1, [OURS])
    assert f"{made} not deleted, it could not be read: the service answered 403" in said


@pytest.mark.parametrize(
    "connection_id", ["..", "", ".", "../connections", "a/b", "a b", "\u00e9", "x\r\ny: z", 7, None]
)
def test_an_id_that_is_none_is_never_asked_for(
    upstream: Upstream, tmp_path: Path, connection_id: Any
) -> None:
    journal(tmp_path, [begun(upstream), *listing(connection_id)])
    status, said = swept(upstream, tmp_path)
    assert status == 0
    assert {r for r in upstream.flow_requests() if not r.startswith("GET")} == set()
    assert set(upstream.flow_requests()) == {"GET /connections"}
    assert "not the kit's" in said


# the sandbox


@pytest.mark.parametrize("sandbox", ["prod", "nowhere"])
def test_what_is_not_a_development_sandbox_is_not_swept(
    upstream: Upstream, tmp_path: Path, sandbox: str
) -> None:
    made = seeded(upstream, OURS, "prod")
    journal(tmp_path, [begun(upstream, sandbox=sandbox), *listing(made)])
    with pytest.raises(UsageError, match=sandbox):
        swept(upstream, tmp_path)
    assert upstream.names() == [OURS]
    assert upstream.flow_requests() == []


def test_a_run_that_was_let_into_production_is_swept_when_that_is_said_again(
    upstream: Upstream, tmp_path: Path
) -> None:
    made = seeded(upstream, OURS, "prod")
    other = seeded(upstream, "aepmock-00c0ffee01-1-x")
    journal(tmp_path, [begun(upstream, sandbox="prod"), *listing(made)])
    lines = [begun(upstream, "00c0ffee01"), *listing(other, "aepmock-00c0ffee01-1-x")]
    journal(tmp_path, lines, run="00c0ffee01")
    status, _ = swept(upstream, tmp_path, settings={"allow_sandbox": "prod"})
    assert (status, upstream.names()) == (0, [])


def test_one_run_that_is_refused_keeps_no_other_from_being_swept(
    upstream: Upstream, tmp_path: Path
) -> None:
    journal(tmp_path, [begun(upstream, "00000000aa", org_id="X@AdobeOrg")], run="00000000aa")
    journal(tmp_path, [begun(upstream, "00000000bb", sandbox="prod")], run="00000000bb")
    journal(tmp_path, [begun(upstream), *listing(seeded(upstream, OURS))])
    with pytest.raises(UsageError) as caught:
        swept(upstream, tmp_path)
    assert "X@AdobeOrg" in str(caught.value)
    assert "production" in str(caught.value)
    assert upstream.names() == []


# journals


@pytest.mark.parametrize("content", [b"", b"\n", b'{"event": "beg'])
def test_an_empty_journal_stops_no_sweep(
    upstream: Upstream, tmp_path: Path, content: bytes
) -> None:
    path = journal(tmp_path, [], run="0000000000")
    path.write_bytes(content)
    journal(tmp_path, [begun(upstream), *listing(seeded(upstream, OURS))])
    status, said = swept(upstream, tmp_path)
    assert (status, upstream.names()) == (0, [])
    assert "0000000000.jsonl is no journal" in said


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00\n\x80",
        b"[]\n[]\n",
        b"[" * 100_000 + b"\n{}\n",
        b'{"event": "begin", "schema": "aepmock-live-journal/1", "run": "../../x"}\n',
        b'{"event": "begin", "schema": "aepmock-live-journal/2", "run": "0000000000"}\n',
    ],
)
def test_a_damaged_journal_is_said_and_stops_no_sweep(
    upstream: Upstream, tmp_path: Path, content: bytes
) -> None:
    journal(tmp_path, [], run="0000000000").write_bytes(content)
    journal(tmp_path, [begun(upstream), *listing(seeded(upstream, OURS))])
    status, said = swept(upstream, tmp_path)
    assert (status, upstream.names()) == (1, [])
    assert "0000000000.jsonl is no journal" in said
    assert "left alone" in said


@pytest.mark.parametrize(
    "changed",
    [
        {"run": "../../../x"},
        {"run": "00c0ffee01"},
        {"run": 7},
        {"sandbox": ".."},
        {"sandbox": "dev/../prod"},
        {"sandbox": "dev\n"},
        {"sandbox": None},
        {"started_ms": "x"},
        {"org_id": None},
        {"base_url": 5},
    ],
)
def test_a_first_line_of_another_form_is_not_believed(
    upstream: Upstream, tmp_path: Path, changed: dict[str, Any]
) -> None:
    made = seeded(upstream, OURS)
    journal(tmp_path, [begun(upstream, **changed), *listing(made)])
    assert swept(upstream, tmp_path)[0] == 1
    assert upstream.requests == []


@pytest.mark.parametrize(
    "line",
    [
        "text",
        7,
        None,
        [],
        {},
        {"event": "created"},
        {"event": "creating", "name": 5},
        {"event": "end"},
        {"event": ["deleted"]},
        {"event": "deleted", "id": {}},
    ],
)
def test_a_line_of_another_form_is_as_if_it_were_not_there(
    upstream: Upstream, tmp_path: Path, line: Any
) -> None:
    made = seeded(upstream, OURS)
    journal(tmp_path, [begun(upstream), line, *listing(made), line])
    assert swept(upstream, tmp_path)[0] == 0
    assert upstream.names() == []


def test_a_pipe_that_is_called_a_journal_is_not_read(upstream: Upstream, tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "0000000000.jsonl"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert "is no journal" in swept(upstream, tmp_path)[1]


@pytest.mark.parametrize("there", [False, True])
def test_a_lock_that_leads_elsewhere_harms_nothing_and_stops_no_sweep(
    upstream: Upstream, tmp_path: Path, there: bool
) -> None:
    precious = tmp_path / "precious"
    if there:
        precious.write_text("mine")
    path = journal(tmp_path, [begun(upstream, "00000000aa")], run="00000000aa")
    path.with_suffix(".lock").symlink_to(precious)
    journal(tmp_path, [begun(upstream), *listing(seeded(upstream, OURS))])
    with pytest.raises(UsageError, match=r"00000000aa: its lock .* leads elsewhere"):
        swept(upstream, tmp_path)
    assert upstream.names() == []
    assert [path.read_text() for path in tmp_path.glob("precious")] == ["mine"] * there


def test_what_a_journal_says_moves_no_cursor_and_shows_no_secret(
    upstream: Upstream, tmp_path: Path
) -> None:
    secret = upstream.credentials.client_secret
    name = f"{OURS}\x1b[2J\x9b31m\u202e\r\n{secret}"
    lines = [begun(upstream, org_id="\x1b]0;x\x07"), *listing("a1", name)]
    journal(tmp_path, [*lines, {"event": "creating", "name": name}])
    _, said = swept(upstream, tmp_path, dry_run=True)
    with pytest.raises(UsageError) as caught:
        swept(upstream, tmp_path)
    for text in (said.replace("\n", ""), str(caught.value)):
        assert text.isprintable()
    assert r"\x1b[2J" in said
    assert secret not in said


def test_two_creates_of_one_name_are_two(upstream: Upstream, tmp_path: Path) -> None:
    creating = {"event": "creating", "name": OURS}
    made = {"event": "created", "name": OURS, "id": "a1"}
    path = journal(tmp_path, [begun(upstream), creating, creating, made])
    assert read_journal(path).unsure == [OURS]


# private folders


def dead_folder(temporary: Path, name: str = "aepmock-live-abcdefgh") -> Path:
    folder = temporary / name
    folder.mkdir(mode=0o700)
    for file in (private.ALIVE, "state.json"):
        (folder / file).write_text("a token")
    os.utime(folder / private.ALIVE, (0, 0))
    return folder


def test_what_a_killed_run_left_in_the_temporary_directory_is_removed(
    upstream: Upstream, tmp_path: Path, temporary: Path
) -> None:
    folder = dead_folder(temporary)
    assert str(folder) in swept(upstream, tmp_path, dry_run=True)[1]
    assert folder.exists()
    swept(upstream, tmp_path)
    assert not folder.exists()


def test_no_other_folder_is_removed(upstream: Upstream, tmp_path: Path, temporary: Path) -> None:
    precious = tmp_path / "aepmock-live-precious"
    precious.mkdir(mode=0o700)
    (precious / "state.json").write_text("mine")
    (temporary / "aepmock-live-aaaaaaaa").symlink_to(precious)
    wide = dead_folder(temporary, "aepmock-live-bbbbbbbb")
    wide.chmod(0o755)
    full = dead_folder(temporary, "aepmock-live-cccccccc")
    (full / "thesis.txt").write_text("mine")
    named = dead_folder(temporary, "aepmock-live-d")
    lines = [begun(upstream, private=str(precious)), {"event": "creating", "name": OURS}]
    journal(tmp_path, lines)
    before = sorted(temporary.rglob("*"))
    with private.private_folder() as alive:
        os.utime(alive / private.ALIVE, (0, 0))
        swept(upstream, tmp_path)
        assert alive.exists()
    assert sorted(temporary.rglob("*")) == before
    assert (precious / "state.json").exists()
    assert wide.exists()
    assert full.exists()
    assert named.exists()


def test_a_run_that_is_killed_before_its_journal_leaves_no_token_after_a_sweep(
    tmp_path: Path, temporary: Path
) -> None:
    with standing_in(Manner(latency_s=1.0)) as standin:
        words = ["judge", "aepmock.clients.reference:client", "--live"]
        run = subprocess.Popen(
            [sys.executable, "-m", "aepmock", *words],
            cwd=tmp_path,
            env=environment(standin),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            states = list(temporary.glob("aepmock-live-*/state.json"))
            if states and any(t in states[0].read_text() for t in standin.tokens):
                break
            time.sleep(0.05)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        assert not list((tmp_path / FOLDER).glob("*.jsonl"))
        (token,) = standin.tokens
        assert any(token in p.read_text() for p in temporary.rglob("state.json"))
        time.sleep(1.1)
        done = command(standin, tmp_path, "live", "sweep")
    assert (done.returncode, list(temporary.glob("aepmock-live-*"))) == (0, [])
    assert "removed" in done.stdout


def test_the_command_deletes_nothing_of_others_on_a_forged_journal(tmp_path: Path) -> None:
    with standing_in() as standin:
        about = {"base_url": standin.base_url, "org_id": ORG, "sandbox": SANDBOX}
        lines: list[Any] = [begun(Upstream(), **about)]
        for connection_id in standin.foreign:
            lines += listing(connection_id)
        journal(tmp_path, lines)
        done = command(standin, tmp_path, "live", "sweep")
        assert done.returncode == 1
        assert not standin.foreign_touched
        assert not [r for r in standin.requests if r.startswith("DELETE")]


# while a run goes on


JSON = Headers({"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "href",
    [
        "http://[bad/",
        "/connections?continuationToken=\u00e9\u0000 x",
        "/connections/../../../sandbox-management?x=1",
        "",
        "https://platform.adobe.io/elsewhere?x",
        "/connections?x=%",
        "//[",
        7,
    ],
)
def test_a_strange_next_link_keeps_nothing_that_is_known_from_being_deleted(
    upstream: Upstream, tmp_path: Path, href: Any
) -> None:
    body = json.dumps({"items": [], "_links": {"next": {"href": href}}}).encode()
    said: list[str] = []
    with upstream.running(tmp_path, said) as run:
        made = created(run.handler)
        upstream.lost.add("POST")
        lost = created_somehow(run.handler)
        assert lost == 504
        upstream.answers.append(
            lambda r: (
                Response(200, JSON, body)
                if r.method == "GET" and r.path.endswith("/connections")
                else None
            )
        )
    assert made not in [str(c["id"]) for c in upstream.service.connections()]
    if href not in ("", 7):
        assert "could not be looked up" in run.about()["left_behind"][-1]


def created_somehow(handler: Any) -> int:
    from tests.live.sandboxes import client_request, create_document

    document = create_document(handler, "lost")
    request = client_request(handler, "POST", "/connections", document=document)
    return int(handler.handle(request).status)


@pytest.mark.parametrize("answer_id", ["..", "", ".", "a/b", "\u00e9", 5, None, ["x"]])
def test_an_answer_without_a_right_id_is_found_by_its_name(
    upstream: Upstream, tmp_path: Path, answer_id: Any
) -> None:
    def altered(request: Request) -> Response | None:
        if request.method != "POST" or "/ims/" in request.path:
            return None
        upstream.service.handle(request)
        return Response(201, JSON, json.dumps({"id": answer_id}).encode())

    upstream.answers.append(altered)
    with upstream.running(tmp_path, []) as run:
        assert created_somehow(run.handler) == 201
        assert len(upstream.names()) == 1
        assert run.handler.owned == {}
    assert upstream.names() == []
    assert run.about()["left_behind"] == []


def test_an_absolute_next_link_to_the_service_is_followed_there_only(
    upstream: Upstream, tmp_path: Path
) -> None:
    for number in range(120):
        seeded(upstream, f"foreign {number}")

    def absolute(request: Request) -> Response | None:
        if request.method != "GET" or not request.path.endswith("/connections"):
            return None
        response = upstream.service.handle(request)
        body = response.body.replace(b'"/connections?', f'"{BASE_URL}/connections?'.encode())
        return Response(response.status, response.headers, body)

    upstream.answers.append(absolute)
    with upstream.running(tmp_path, []) as run:
        upstream.lost.add("POST")
        created_somehow(run.handler)
    assert run.about()["left_behind"] == []
    assert len(upstream.names()) == 120
    assert {r.origin for r in upstream.requests if "/ims/" not in r.path} == {
        "https://platform.adobe.io"
    }
