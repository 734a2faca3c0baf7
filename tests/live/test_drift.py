"""What a live run teaches: which reading holds, and where the service is not as the mock has it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from aepmock.contract import load_contract
from aepmock.judge import LiveRow
from aepmock.live.drift.sanitize import seen_again
from aepmock.live.drift.walk import CLAUSES, UNKNOWN_FIELDS, find_drift, merged
from aepmock.messages import Headers, Request, Response
from tests.live.drift_scene import DAY, PARAMS, Scene

KEYS = st.sampled_from(["id", "etag", "items", "_links", "next", "href", "count", "state", "auth"])
THROTTLED = b'{"error_code": "429050", "message": "Too many requests"}'
READINGS = {
    # A live run lets no exchange of a JWT leave.
    name: reading
    for name, reading in load_contract().readings.items()
    if reading.operations != ("ims.jwt",)
}
OPTIONS = [
    (reading.id, option.id) for reading in READINGS.values() for option in reading.options[1:]
]


@pytest.mark.parametrize(("question", "option"), OPTIONS, ids="=".join)
def test_whatever_reading_the_service_follows_is_confirmed_and_nothing_drifts(
    question: str, option: str
) -> None:
    scene = Scene({question: option})
    scene.everything()
    findings = scene.findings()
    rows = [row for row in findings.rows if row.subject == question]
    default = load_contract().readings[question].default
    assert rows == [LiveRow(question, "confirmed", option, default, option, DAY)]
    assert findings.drifted == ()


def test_a_service_that_is_as_the_mock_has_it_confirms_every_default() -> None:
    scene = Scene()
    scene.everything()
    findings = scene.findings()
    found = {r.subject: r.reading for r in findings.rows if r.subject in READINGS}
    assert found == {question: reading.default for question, reading in READINGS.items()}
    assert {row.status for row in findings.rows if row.subject in READINGS} == {"confirmed"}
    assert findings.drifted == ()


def test_several_readings_at_once_are_told_apart() -> None:
    wanted = {
        "connections.delete-status": "202",
        "errors.envelope": "short",
        "connections.secrets-on-read": "masked",
        "connections.create-location": "absent",
        "connections.etag-header": "present",
        "connections.initial-state": "initializing",
        "connections.last-page-links": "absent",
    }
    scene = Scene(wanted)
    scene.everything()
    rows = {row.subject: row for row in scene.findings().rows}
    assert {question: rows[question].reading for question in wanted} == wanted
    assert scene.findings().drifted == ()


def test_what_no_exchange_put_to_the_test_is_unseen() -> None:
    scene = Scene()
    scene.read(scene.create()[0])
    assert scene.row("connections.delete-status").status == "unseen"
    assert scene.row("connections.delete").status == "unseen"
    assert scene.row("update.stale").status == "unseen"
    assert scene.row("connections.create") == LiveRow(
        "connections.create", "confirmed", "", "201", "201", DAY
    )


def test_an_answer_that_no_reading_explains_has_drifted() -> None:
    def conflict(request: Request, response: Response) -> Response:
        return replace(response, status=409) if response.status == 412 else response

    scene = Scene(change=conflict)
    made, etag = scene.create()
    scene.rename(made, etag)
    scene.rename(made, etag)
    (row,) = scene.findings().drifted
    expected = "412, 1404-412, full envelope"
    assert row == LiveRow(
        "update.stale", "drifted", "", expected, "409, 1404-412, full envelope", DAY
    )


def test_a_code_counts_and_a_text_does_not() -> None:
    def other_words(request: Request, response: Response) -> Response:
        return replace(response, body=response.body.replace(b"not found", b"nowhere to be seen"))

    def other_code(request: Request, response: Response) -> Response:
        return replace(response, body=response.body.replace(b"1439-404", b"1440-404"))

    for change, drifted in ((other_words, []), (other_code, ["connections.not-found"])):
        scene = Scene(change=change)
        scene.read("00000000-0000-4000-8000-000000000000")
        assert [row.subject for row in scene.findings().drifted] == drifted


def test_fields_that_nobody_documented_are_the_clause_about_them() -> None:
    def richer(request: Request, response: Response) -> Response:
        document = response.json_or_none
        if not isinstance(document, dict) or "items" not in document:
            return response
        for item in document["items"]:
            item["quota"] = {"used": 1}
        return replace(response, body=json.dumps(document).encode())

    scene = Scene(change=richer)
    scene.read(scene.create()[0])
    row = scene.row("answers.unknown-fields")
    assert (row.status, row.got) == ("confirmed", "connections.get: items[].quota")
    assert scene.findings().drifted == ()


def test_a_field_that_is_missing_has_drifted() -> None:
    def poorer(request: Request, response: Response) -> Response:
        return replace(response, body=response.body.replace(b'"createdAt"', b'"bornAt"'))

    scene = Scene(change=poorer)
    scene.read(scene.create()[0])
    (row,) = scene.findings().drifted
    assert (row.subject, row.expected) == ("connections.get", "items[].createdAt: present")


def test_what_other_people_have_in_the_sandbox_is_passed_over() -> None:
    scene = Scene()
    place = (scene.made.ims_org_id, "acme-dev")
    for number in range(3):
        scene.service.seed_connection(*place, name=f"a colleague's {number}")
    made, _ = scene.create()
    scene.service.seed_connection(*place, name="a colleague's last")
    for query in ("", "?limit=2", "?count=true", "?orderby=name"):
        assert scene.send("GET", f"/connections{query}").ok
    scene.send("DELETE", f"/connections/{made}")
    scene.send("GET", "/connections")
    assert scene.findings().drifted == ()
    kept = json.dumps([seen.document for seen in scene.drift.exchanges])
    assert "colleague" not in kept


def test_an_item_that_is_missing_from_a_list_has_drifted() -> None:
    def forgetful(request: Request, response: Response) -> Response:
        if request.method == "GET" and request.path.endswith("/connections"):
            return replace(response, body=b'{"items": [], "_links": {}}')
        return response

    scene = Scene(change=forgetful)
    scene.create()
    scene.send("GET", "/connections")
    (row,) = scene.findings().drifted
    assert (row.subject, row.got) == ("connections.list", "items: one is missing")


@pytest.mark.parametrize(
    ("method", "disturbed", "told", "clause"),
    [
        ("PATCH", Response(503), "503", "errors.empty-body"),
        # A 429 says that nothing was done: to a read that makes no difference.
        (
            "GET",
            Response(429, Headers([("Retry-After", "1")]), THROTTLED),
            "429 with Retry-After",
            "errors.gateway",
        ),
        (
            "PATCH",
            Response(200, Headers([("Content-Type", "text/html")]), b"<html>"),
            "200 in HTML",
            "errors.html-body",
        ),
        ("PATCH", None, "no answer", None),
    ],
    ids=["503", "429", "html", "lost"],
)
def test_a_disturbance_is_counted_and_is_no_drift(
    method: str, disturbed: Response | None, told: str, clause: str | None
) -> None:
    turns = iter(range(10))

    def disturb(request: Request, response: Response) -> Response | None:
        return disturbed if request.method == method and next(turns) == 0 else response

    scene = Scene(change=disturb)
    made, etag = scene.create()
    # The service did it, or not: nobody knows, until it is read again.
    scene.rename(made, etag)
    scene.read(made)
    etag = scene.read(made).json["items"][0]["etag"]
    assert scene.rename(made, etag, "again").ok
    scene.read(made)
    findings = scene.findings()
    assert findings.drifted == ()
    assert findings.disturbances == {told: 1}
    about = [row.subject for row in findings.rows if row.got.endswith(f": {told}")]
    assert about == [clause] * bool(clause)


def test_an_etag_in_another_form_is_followed_and_told() -> None:
    def weak(request: Request, response: Response) -> Response:
        document = response.json_or_none
        if isinstance(document, dict) and "etag" in document:
            document["etag"] = "W/" + document["etag"]
            return replace(response, body=json.dumps(document).encode())
        return response

    scene = Scene(change=weak)
    made, etag = scene.create()
    assert etag.startswith("W/")
    scene.read(made)
    scene.send("DELETE", f"/connections/{made}")
    (row,) = scene.findings().drifted
    assert (row.subject, row.got) == ("connections.update.etag-quotes", "etag form: weak")


def test_an_etag_that_changes_without_a_write_has_drifted_once() -> None:
    scene = Scene()
    made, _ = scene.create()
    scene.read(made)
    held = scene.service.store.find((scene.made.ims_org_id, "acme-dev"), made)
    assert held is not None
    held.etag = '"ffffffff-0000-0200-0000-ffffffff0000"'
    scene.read(made)
    assert scene.rename(made, held.etag).ok
    assert {row.expected for row in scene.findings().drifted} == {
        "items[].etag: the etag as it was",
        "items[].version: the etag as it was",
    }


def test_a_service_that_answers_one_way_and_then_another_has_drifted() -> None:
    scene = Scene()
    first, _ = scene.create("aepmock-r1-a")
    second, _ = scene.create("aepmock-r1-b")
    scene.send("DELETE", f"/connections/{first}")
    scene.service.set_readings({"connections.delete-status": "202"})
    scene.send("DELETE", f"/connections/{second}")
    row = scene.row("connections.delete-status")
    assert (row.status, row.got) == ("drifted", "202, then 204")


def test_a_create_that_only_the_live_service_takes_is_followed() -> None:
    scene = Scene({"connections.create-without-name": "accepted"})
    made, _ = scene.create(None)
    assert scene.read(made).ok
    scene.send("DELETE", f"/connections/{made}")
    assert scene.read(made).status == 404
    assert scene.findings().drifted == ()


def test_processes_of_one_run_are_merged_and_drift_wins() -> None:
    seen = LiveRow("connections.get", "confirmed", date=DAY)
    unseen = LiveRow("connections.get", "unseen")
    drifted = LiveRow("connections.get", "drifted", "", "200", "403", DAY)
    assert merged([[unseen], [seen]]) == (seen,)
    assert merged([[drifted], [seen]]) == (drifted,)
    options = [LiveRow("x", "confirmed", o, "a", o, DAY) for o in ("a", "b")]
    (both,) = merged([[option] for option in options])
    assert (both.status, both.got) == ("drifted", "a, then b")


def test_nothing_that_is_kept_holds_a_secret() -> None:
    scene = Scene()
    scene.everything()
    kept = json.dumps([seen.document for seen in scene.drift.exchanges])
    rows = json.dumps([asdict(row) for row in scene.findings().rows])
    made = scene.made
    for secret in (made.access_token, made.client_secret, made.ims_org_id, *PARAMS.values()):
        assert secret not in kept
        assert secret not in rows


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None, database=None, phases=[Phase.generate])
@given(
    answers=st.lists(
        st.none()
        | st.builds(
            Response,
            st.sampled_from([200, 201, 202, 204, 301, 400, 401, 404, 412, 429, 500]),
            st.sampled_from([Headers(), Headers([("ETag", "x"), ("Location", "//[")])]),
            ANYTHING.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20),
        ),
        min_size=12,
        max_size=12,
    )
)
def test_whatever_a_service_answers_is_told_without_a_fault(answers: list[Response | None]) -> None:
    turns = iter(answers)

    def odd(request: Request, response: Response) -> Response | None:
        return next(turns, response) or response

    scene = Scene()
    made, etag = scene.create()
    scene.change = odd
    for query in ("", "?limit=1", "?count=true"):
        scene.send("GET", f"/connections{query}")
    scene.read(made)
    scene.rename(made, etag)
    scene.send("GET", f"/connections/{made}/explore?objectType=root")
    scene.send("GET", f"/connections/{made}/test")
    scene.token()
    scene.send("POST", "/connections", b"[" * 5000)
    scene.send("POST", "/connections", {"name": "aepmock-r1-b"})
    scene.read(made)
    scene.send("DELETE", f"/connections/{made}")
    again = [seen_again(json.loads(seen.redacted.line())) for seen in scene.drift.exchanges]
    assert find_drift(again).rows == scene.findings().rows


def test_the_clauses_that_drift_names_are_in_the_contract() -> None:
    named = {UNKNOWN_FIELDS, *CLAUSES.values()}
    named |= {"errors.gateway", "errors.service", "errors.html-body", "errors.empty-body"}
    assert named <= load_contract().clauses.keys()
