"""Where secrets turn up, and where they go, when calls go well and when they fail."""

from __future__ import annotations

from aepmock import Headers, Response
from aepmock.strategies import answers, bad_successes, refusal
from aepmock.suite import CALLS, Bench, Trial, service_operation

OPERATIONS = ()
EXERCISES = ("secrets.*",)

CODES = (
    "1413-400",
    "401013",
    "403010",
    "1439-404",
    "1404-412",
    "429050",
    "1102-500",
    "1103-503",
    "1104-504",
)
STATUSES = (302, 307, 308)


def call_watched(trial: Trial, call: str) -> None:
    """A plain call, whose every secret is a canary."""
    item = trial.seed(auth_params=trial.bench.canary_connection().auth_params)[0]
    trial.watch()
    if call == "create_connection":
        trial.call(call, connection=trial.bench.canary_connection())
    elif call == "update_connection":
        patch = [
            {"op": "replace", "path": f"/auth/params/{name}", "value": value}
            for name, value in trial.bench.canaries.items()
        ] or [{"op": "replace", "path": "/name", "value": "another name"}]
        trial.call(call, connection_id=item["id"], etag=item["etag"], operations=patch)
    elif call in ("list_connections", "count_connections"):
        trial.call(call)
    else:
        trial.call_by_id(call, item["id"])


def test_a_call_that_goes_well_gives_no_secret_away(bench: Bench) -> None:
    bench.run_each(CALLS, call_watched)


def test_a_call_that_is_refused_gives_no_secret_away(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, Response]) -> None:
        call, answer = turn
        with trial.answering(service_operation(call), answer):
            call_watched(trial, call)

    refused = [refusal(bench.contract.errors[code]) for code in CODES]
    refused += [Response(status) for status in (409, 422)]
    turns = [(call, answer) for call in CALLS for answer in refused]
    # Of the successes that can't be believed, those to a create hold no secret themselves.
    turns += [
        ("create_connection", shape)
        for shapes in bad_successes("create_connection").values()
        for shape in shapes
    ]
    bench.run_each(turns, example)


def test_a_refusal_that_repeats_a_secret_is_not_quoted(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, Response]) -> None:
        call, answer = turn
        with trial.answering(service_operation(call), answer):
            call_watched(trial, call)

    secrets = [bench.settings.access_token, *bench.canaries.values()]
    plain = Response(400, Headers([("Content-Type", "text/plain")]), b"Bad request. ")
    refused = [refusal(bench.contract.errors[code]) for code in ("1100-400", "401013")] + [plain]
    said = [answers.repeating(answer, secrets) for answer in refused]
    bench.run_each([(call, answer) for call in CALLS for answer in said], example)


def test_a_client_that_gets_no_token_gives_no_secret_away(bench: Bench) -> None:
    def example(trial: Trial, answer: Response) -> None:
        trial.watch()
        with trial.answering("ims.token", answer):
            trial.visit(bench.settings, "create_connection", connection=bench.canary_connection())

    wrong = refusal(bench.contract.errors["ims-invalid-client-secret"])
    bench.run_each([wrong, Response(503)], example)


def test_a_client_that_finds_no_server_gives_no_secret_away(bench: Bench) -> None:
    def example(trial: Trial, origin: str) -> None:
        trial.watch()
        settings = bench.loopback.at(origin, bench.settings)
        trial.visit(settings, "create_connection", connection=bench.canary_connection())

    with bench.loopback.nobody() as origin:
        bench.run_each([origin], example)


def test_a_setting_that_can_not_be_sent_gives_no_secret_away(bench: Bench) -> None:
    def example(trial: Trial, sandbox: str) -> None:
        trial.watch()
        trial.call("create_connection", sandbox=sandbox, connection=bench.canary_connection())

    bench.run_each(["dev\r\nx-y: z"], example)


def test_a_redirect_to_another_origin_takes_no_secret_along(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, int]) -> None:
        call, status = turn
        answer = answers.redirect(status, f"{bench.loopback.elsewhere}/elsewhere")
        with trial.answering(service_operation(call), answer):
            call_watched(trial, call)

    bench.run_each([(call, status) for call in CALLS for status in STATUSES], example)


def test_a_next_link_to_another_origin_takes_no_secret_along(bench: Bench) -> None:
    def example(trial: Trial, turn: tuple[str, int]) -> None:
        origin, limit = turn
        trial.seed(3)
        with trial.changing("connections.list", answers.next_page_elsewhere(origin)):
            trial.call("list_connections", limit=limit)

    origins = (bench.loopback.elsewhere, bench.loopback.look_alike)
    bench.run_each([(origin, limit) for origin in origins for limit in (1, 2)], example)
