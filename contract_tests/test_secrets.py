"""Where secrets turn up, and where they go, when calls go well and when they fail."""

from __future__ import annotations

from aepmock import Headers, Response
from aepmock.strategies import answers, bad_successes, refusal
from aepmock.suite import CALLS, ClientHarness, Scenario, service_operation

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


def call_watched(scenario: Scenario, call: str) -> None:
    """A plain call, whose every secret is a canary."""
    item = scenario.seed(auth_params=scenario.harness.canary_connection().auth_params)[0]
    scenario.watch()
    if call == "create_connection":
        scenario.call(call, connection=scenario.harness.canary_connection())
    elif call == "update_connection":
        patch = [
            {"op": "replace", "path": f"/auth/params/{name}", "value": value}
            for name, value in scenario.harness.canaries.items()
        ] or [{"op": "replace", "path": "/name", "value": "another name"}]
        scenario.call(call, connection_id=item["id"], etag=item["etag"], operations=patch)
    elif call in ("list_connections", "count_connections"):
        scenario.call(call)
    else:
        scenario.call_by_id(call, item["id"])


def test_a_call_that_goes_well_gives_no_secret_away(harness: ClientHarness) -> None:
    harness.run_each(CALLS, call_watched)


def test_a_call_that_is_refused_gives_no_secret_away(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, Response]) -> None:
        call, answer = turn
        with scenario.answering(service_operation(call), answer):
            call_watched(scenario, call)

    refused = [refusal(harness.contract.errors[code]) for code in CODES]
    refused += [Response(status) for status in (409, 422)]
    turns = [(call, answer) for call in CALLS for answer in refused]
    # Of the successes that can't be believed, those to a create hold no secret themselves.
    turns += [
        ("create_connection", shape)
        for shapes in bad_successes("create_connection").values()
        for shape in shapes
    ]
    harness.run_each(turns, example)


def test_a_refusal_that_repeats_a_secret_is_not_quoted(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, Response]) -> None:
        call, answer = turn
        with scenario.answering(service_operation(call), answer):
            call_watched(scenario, call)

    secrets = [harness.settings.access_token, *harness.canaries.values()]
    plain = Response(400, Headers([("Content-Type", "text/plain")]), b"Bad request. ")
    refused = [refusal(harness.contract.errors[code]) for code in ("1100-400", "401013")] + [plain]
    said = [answers.repeating(answer, secrets) for answer in refused]
    harness.run_each([(call, answer) for call in CALLS for answer in said], example)


def test_a_client_that_gets_no_token_gives_no_secret_away(harness: ClientHarness) -> None:
    def example(scenario: Scenario, answer: Response) -> None:
        scenario.watch()
        with scenario.answering("ims.token", answer):
            scenario.call_with_new_client(
                harness.settings, "create_connection", connection=harness.canary_connection()
            )

    wrong = refusal(harness.contract.errors["ims-invalid-client-secret"])
    harness.run_each([wrong, Response(503)], example)


def test_a_client_that_finds_no_server_gives_no_secret_away(harness: ClientHarness) -> None:
    def example(scenario: Scenario, origin: str) -> None:
        scenario.watch()
        settings = harness.local_servers.at(origin, harness.settings)
        scenario.call_with_new_client(
            settings, "create_connection", connection=harness.canary_connection()
        )

    with harness.local_servers.nobody() as origin:
        harness.run_each([origin], example)


def test_a_setting_that_can_not_be_sent_gives_no_secret_away(harness: ClientHarness) -> None:
    def example(scenario: Scenario, sandbox: str) -> None:
        scenario.watch()
        scenario.call("create_connection", sandbox=sandbox, connection=harness.canary_connection())

    harness.run_each(["dev\r\nx-y: z"], example)


def test_a_redirect_to_another_origin_takes_no_secret_along(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, int]) -> None:
        call, status = turn
        answer = answers.redirect(status, f"{harness.local_servers.elsewhere}/elsewhere")
        with scenario.answering(service_operation(call), answer):
            call_watched(scenario, call)

    harness.run_each([(call, status) for call in CALLS for status in STATUSES], example)


def test_a_next_link_to_another_origin_takes_no_secret_along(harness: ClientHarness) -> None:
    def example(scenario: Scenario, turn: tuple[str, int]) -> None:
        origin, limit = turn
        scenario.seed(3)
        with scenario.changing("connections.list", answers.next_page_elsewhere(origin)):
            scenario.call("list_connections", limit=limit)

    origins = (harness.local_servers.elsewhere, harness.local_servers.look_alike)
    harness.run_each([(origin, limit) for origin in origins for limit in (1, 2)], example)
