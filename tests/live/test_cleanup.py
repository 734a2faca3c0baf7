"""What a run leaves behind: nothing, whatever happens in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aepmock.errors import UsageError
from aepmock.live.outbound.handler import LiveHandler
from aepmock.live.session.cleanup import clean_up, delete
from aepmock.live.session.journal import FOLDER, read_journal
from aepmock.live.session.shared_state import LiveStopped
from aepmock.live.session.sweep import sweep
from aepmock.messages import Request, Response
from tests.live.sandboxes import PARAMS, Upstream, client_request, create_document, created


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


def journal_of(folder: Path) -> Path:
    return next((folder / FOLDER).glob("*.jsonl"))


def test_what_a_run_created_is_deleted_at_its_end(upstream: Upstream, tmp_path: Path) -> None:
    said: list[str] = []
    with upstream.running(tmp_path, said) as run:
        created(run.handler)
        created(run.handler, "another")
        assert len(upstream.names()) == 2
    assert upstream.names() == []
    assert run.about()["left_behind"] == []
    assert (run.about()["created"], run.about()["deleted"]) == (2, 2)
    assert read_journal(journal_of(tmp_path)).clean


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_what_a_run_created_is_deleted_when_it_breaks_off(
    upstream: Upstream, tmp_path: Path, error: type[BaseException]
) -> None:
    def break_off() -> None:
        with upstream.running(tmp_path, []) as run:
            created(run.handler)
            raise error

    with pytest.raises(error):
        break_off()
    assert upstream.names() == []


def test_a_create_whose_answer_was_lost_is_found_by_its_name(
    upstream: Upstream, tmp_path: Path
) -> None:
    with upstream.running(tmp_path, []) as run:
        handler = run.handler
        document = create_document(handler)
        upstream.lost.add("POST")
        answer = handler.handle(client_request(handler, "POST", "/connections", document=document))
        assert (answer.status, answer.injected) == (504, True)
        assert len(upstream.names()) == 1
        assert handler.owned == {}
    assert upstream.names() == []


def test_the_journal_has_a_create_before_it_is_sent(upstream: Upstream, tmp_path: Path) -> None:
    handler = upstream.handler(tmp_path)
    handler.tokens.current()
    seen: list[str] = []

    def look(request: Request) -> Response | None:
        if request.method == "POST":
            seen.extend(read_journal(handler.plan.journal_path).unsure)
        return None

    upstream.answers.append(look)
    created(handler)
    assert seen == ["aepmock-0123456789-of the client"]


def test_what_is_foreign_outlives_every_run(upstream: Upstream, tmp_path: Path) -> None:
    org = upstream.credentials.ims_org_id
    for name in ("aepmock-", "aepmock-ffffffffff-another run's", "of a colleague"):
        upstream.service.seed_connection(org, "dev", name=name)
    before = list(upstream.service.connections())
    with upstream.running(tmp_path, []) as run:
        created(run.handler)
        upstream.lost.add("POST")
        document = create_document(run.handler)
        run.handler.handle(client_request(run.handler, "POST", "/connections", document=document))
    assert list(upstream.service.connections()) == before


def test_the_kit_deletes_no_id_that_it_does_not_own(upstream: Upstream, tmp_path: Path) -> None:
    foreign = upstream.service.seed_connection(upstream.credentials.ims_org_id, "dev")
    handler = upstream.handler(tmp_path)
    with pytest.raises(LookupError):
        delete(handler, foreign["id"])
    assert upstream.flow_requests() == []


def test_what_can_not_be_deleted_is_listed(upstream: Upstream, tmp_path: Path) -> None:
    said: list[str] = []
    with upstream.running(tmp_path, said) as run:
        connection_id = created(run.handler)
        upstream.answers.append(lambda r: Response(400) if r.method == "DELETE" else None)
    assert connection_id in run.about()["left_behind"][0]
    assert any(connection_id in line for line in said)
    assert f"aepmock live sweep --run {run.plan.run}" in said[-1]
    upstream.answers.clear()
    assert swept(upstream, tmp_path, said) == 0
    assert upstream.names() == []


def test_what_can_not_be_deleted_yet_is_deleted_later(upstream: Upstream, tmp_path: Path) -> None:
    not_yet = [Response(400), Response(400), Response(400)]
    upstream.answers.append(lambda r: not_yet.pop() if r.method == "DELETE" and not_yet else None)
    with upstream.running(tmp_path, []) as run:
        created(run.handler)
    assert upstream.names() == []
    assert run.about()["left_behind"] == []
    assert sum(upstream.time.slept) >= 2


def test_a_terminal_that_is_gone_keeps_nothing_from_being_deleted(
    upstream: Upstream, tmp_path: Path
) -> None:
    class Gone(list[str]):
        def append(self, _: str) -> None:
            raise BrokenPipeError

    with upstream.running(tmp_path, Gone()) as run:
        created(run.handler)
    assert upstream.names() == []


def test_a_run_of_another_process_sends_nothing_once_its_owner_is_gone(
    upstream: Upstream, tmp_path: Path
) -> None:
    with upstream.running(tmp_path, []) as run:
        joined = LiveHandler(run.plan, upstream.ports)
        created(joined)
        sent = len(upstream.requests)
    with pytest.raises(LiveStopped):
        created(joined)
    assert upstream.names() == []
    assert len(upstream.requests) > sent  # by its owner, to clean up


def test_a_journal_that_breaks_off_is_swept(upstream: Upstream, tmp_path: Path) -> None:
    journal = tmp_path / FOLDER / "0123456789.jsonl"
    journal.parent.mkdir(parents=True)
    handler = upstream.handler(journal.parent)
    journal.write_text(
        json.dumps(
            {
                "event": "begin",
                "schema": "aepmock-live-journal/1",
                "run": "0123456789",
                "started_ms": 0,
                "sandbox": "dev",
                "org_id": upstream.credentials.ims_org_id,
                "base_url": handler.settings.base_url,
            }
        )
        + "\n"
    )
    created(handler)
    with journal.open("a") as file:
        file.write('{"event": "crea')
    said: list[str] = []
    assert swept(upstream, tmp_path, said, dry_run=True) == 0
    assert len(upstream.names()) == 1
    assert swept(upstream, tmp_path, said) == 0
    assert upstream.names() == []
    assert swept(upstream, tmp_path, said) == 0
    assert "nothing to sweep" in said[-1]


def test_a_run_that_goes_on_is_not_swept(upstream: Upstream, tmp_path: Path) -> None:
    said: list[str] = []
    with upstream.running(tmp_path, []) as run:
        created(run.handler)
        assert swept(upstream, tmp_path, said) == 0
        assert len(upstream.names()) == 1
    assert "still going on" in said[0]


def test_a_sweep_says_what_it_could_not_delete(upstream: Upstream, tmp_path: Path) -> None:
    upstream.answers.append(lambda r: Response(400) if r.method == "DELETE" else None)
    with upstream.running(tmp_path, []) as run:
        connection_id = created(run.handler)
    said: list[str] = []
    assert swept(upstream, tmp_path, said) == 1
    assert any(connection_id in line for line in said)


def test_the_journal_holds_no_secret(upstream: Upstream, tmp_path: Path) -> None:
    with upstream.running(tmp_path, []) as run:
        document = create_document(run.handler, PARAMS["clientSecret"])
        run.handler.handle(client_request(run.handler, "POST", "/connections", document=document))
        token = run.handler.tokens.current()
    text = journal_of(tmp_path).read_text()
    for secret in (token, upstream.credentials.client_secret, *PARAMS.values()):
        assert secret not in text
    assert upstream.names() == []


def test_a_list_in_several_pages_is_looked_through(upstream: Upstream, tmp_path: Path) -> None:
    for number in range(130):
        upstream.service.seed_connection(
            upstream.credentials.ims_org_id, "dev", name=f"foreign {number}"
        )
    handler = upstream.handler(tmp_path)
    handler.tokens.current()
    upstream.lost.add("POST")
    document = create_document(handler)
    handler.handle(client_request(handler, "POST", "/connections", document=document))
    assert len(upstream.names()) == 131
    assert clean_up(handler, read_journal(handler.plan.journal_path)).clean
    assert len(upstream.names()) == 130


def swept(upstream: Upstream, folder: Path, said: list[str], **asked: Any) -> int:
    given = {"sandbox": None, "run": None, "dry_run": False, **asked}
    return sweep(upstream.settings(), folder=folder, say=said.append, ports=upstream.ports, **given)


def test_a_sweep_may_be_of_one_run_or_one_sandbox(upstream: Upstream, tmp_path: Path) -> None:
    upstream.answers.append(lambda r: Response(400) if r.method == "DELETE" else None)
    runs = []
    for _ in range(2):
        with upstream.running(tmp_path, []) as run:
            created(run.handler)
        runs.append(run.plan.run)
    upstream.answers.clear()
    assert swept(upstream, tmp_path, [], sandbox="another") == 0
    assert len(upstream.names()) == 2
    assert swept(upstream, tmp_path, [], run=runs[0]) == 0
    assert [name.split("-")[1] for name in upstream.names()] == [runs[1]]
    with pytest.raises(UsageError, match="unknown live run"):
        swept(upstream, tmp_path, [], run="0000000000")


def test_a_sweep_of_another_organizations_run_is_refused(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.answers.append(lambda r: Response(400) if r.method == "DELETE" else None)
    with upstream.running(tmp_path, []) as run:
        created(run.handler)
    sent = len(upstream.requests)
    other = Upstream()
    with pytest.raises(UsageError, match="AEPMOCK_LIVE_ORG_ID"):
        sweep(
            upstream.settings(org_id=other.credentials.ims_org_id + "x"),
            folder=tmp_path,
            say=print,
            sandbox=None,
            run=None,
            dry_run=False,
            ports=upstream.ports,
        )
    assert len(upstream.requests) == sent
