"""Every refusal that is a client's fault has a clause that convicts on the wire: proxy and strict.

The requests are those of the service's own table, tests/service/test_service_refusals.py.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aepmock.client_api import ClientSettings
from aepmock.contract import load_contract
from aepmock.judge import Expected, judge_exchange
from aepmock.messages import Exchange, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import BASE, ORIGIN, Caller
from tests.service.test_service_refusals import CASES

CONTRACT = load_contract()
CALLERS = "the caller chose it: a client passes on as given what it is asked for"
STATE = "the service's state, which no request shows"
TOKEN = "the kind of a token, which no request shows"
NOT_THE_CLIENTS: dict[str, str] = {
    "sandbox.all-with-user-token": TOKEN,
    "sandbox.id-with-user-token": TOKEN,
    "sandbox.id-unknown": STATE,
    "query.token": STATE,
    "list.orderby-sign": CALLERS,
    "list.orderby-field": CALLERS,
    "list.orderby-cross-sandbox": CALLERS,
    "filter.not-implemented": CALLERS,
    "filter.many-values": CALLERS,
    "filter.operator-for-field": CALLERS,
    "filter.field": CALLERS,
    "filter.operator": CALLERS,
    "filter.value": CALLERS,
    "filter.form": CALLERS,
    "filter.value-type": CALLERS,
    "create.version-missing": "open: by the default reading a version may be left out",
    "connections.not-found": STATE,
    "update.stale": STATE,
    "update.operation": CALLERS,
    "update.spec": CALLERS,
    "update.state-value": CALLERS,
    "update.instructions": CALLERS,
    "update.in-state": STATE,
    "update.user-token": TOKEN,
    "delete.in-state": STATE,
    "delete.user-token": TOKEN,
    "delete.in-use": STATE,
    "action.finalize": "providers may, and no request shows who is one",
    "action.state": STATE,
    "explore.object-type": CALLERS,
    "explore.object-missing": CALLERS,
    "explore.not-supported": CALLERS,
    "explore.no-table": CALLERS,
    "ims.grant-type": "judged with the client's settings at hand: ims.token.form",
    "ims.client-id": "judged with the client's settings at hand: ims.token.credentials",
    "ims.client-secret": "judged with the client's settings at hand: ims.token.credentials",
    "ims.scope": "judged with the client's settings at hand: ims.token.credentials",
    "jwt.ended": "its credentials have ended; no clause is about them",
    "not-imitated": "aepmock lacks it",
}
"""Rules that a right client may meet, and why."""


def refused(act: Callable[[Caller], Response], readings: dict[str, str]) -> tuple[Caller, Exchange]:
    """The last exchange of what someone does, and who did it."""
    caller = Caller(FlowService(readings=readings))
    kept: list[Exchange] = []
    handle = caller.service.handle

    def keeping(request: Request) -> Response:
        response = handle(request)
        kept.append(Exchange(request, response, len(kept) + 1))
        return response

    caller.service.handle = keeping  # type: ignore[method-assign]
    act(caller)
    return caller, kept[-1]


def broken(caller: Caller, exchange: Exchange) -> set[str]:
    made = caller.credentials
    settings = ClientSettings(
        base_url=ORIGIN + BASE, access_token=made.access_token, api_key=made.api_key,
        ims_org_id=made.ims_org_id, sandbox_name=caller.sandbox,
        ims_token_url=f"{ORIGIN}/ims/token/v3", client_id=made.client_id,
        client_secret=made.client_secret, scopes=made.scopes,
    )  # fmt: skip
    seen = judge_exchange(exchange, Expected.of(settings), CONTRACT)
    return {one.clause for one in seen if one.violation is not None}


def test_every_rule_convicts_or_says_why_not() -> None:
    named = {rule for rule, *_ in CASES}
    assert named == set(CONTRACT.refusals)
    assert set(NOT_THE_CLIENTS) <= named
    silent = {rule.id for rule in CONTRACT.refusals.values() if rule.clause is None}
    assert silent <= set(NOT_THE_CLIENTS)


@pytest.mark.parametrize(
    ("rule", "act", "readings"),
    [(rule, act, readings) for rule, act, _, readings in CASES if rule not in NOT_THE_CLIENTS],
    ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES) if case[0] not in NOT_THE_CLIENTS],
)
def test_the_clause_that_the_answer_names_convicts(
    rule: str, act: Callable[[Caller], Response], readings: dict[str, str]
) -> None:
    caller, exchange = refused(act, readings)
    clause = CONTRACT.refusals[rule].clause
    assert clause is not None
    assert exchange.response.headers.get("x-aepmock-clause") == clause
    assert clause in broken(caller, exchange)
    assert CONTRACT.clauses[clause].grade == "must"


MAY_BE_MET = [case for case in CASES if NOT_THE_CLIENTS.get(case[0]) in (CALLERS, STATE)]


@pytest.mark.parametrize(
    ("act", "readings"),
    [(act, readings) for _, act, _, readings in MAY_BE_MET],
)
def test_what_a_right_client_may_meet_breaks_nothing(
    act: Callable[[Caller], Response], readings: dict[str, str]
) -> None:
    caller, exchange = refused(act, readings)
    assert broken(caller, exchange) <= {"request.sandbox"}  # * stands for another sandbox
