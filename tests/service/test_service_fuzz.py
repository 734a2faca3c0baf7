"""Whatever is sent, the service answers, in HTTP and JSON that everyone can read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aepmock.contract import load_contract
from aepmock.messages import Headers, Request, Response
from aepmock.service import FlowService
from tests.service.flow_caller import BASE, HUBSPOT, ORIGIN, Caller

CONTRACT = load_contract()
SERVICES = [
    FlowService(),
    FlowService(accept_any=True),
    *(
        FlowService(
            readings={
                reading.id: reading.options[min(number, len(reading.options) - 1)].id
                for reading in CONTRACT.readings.values()
            }
        )
        for number in (1, 2)
    ),
]
CALLERS = [caller for s in SERVICES for caller in (Caller(s), Caller(s).user())]
MADE = [caller.service.seed_connection(caller.credentials.ims_org_id, "dev") for caller in CALLERS]

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["\ud800", "\udc80", "\0", "draft", "enabled", "1.0", -(2**70), 10**400])
)
names = st.sampled_from(
    [
        *HUBSPOT, *HUBSPOT["auth"], *HUBSPOT["auth"]["params"], "id", "version", "op", "path",
        "value", "status", "percentCompleted", "queryString", "limit", "orderby", "count", "state",
    ]
) | st.text(max_size=5)  # fmt: skip
documents = st.recursive(
    leaves, lambda below: st.lists(below) | st.dictionaries(names, below), max_leaves=20
)
paths = st.sampled_from(
    ["", "/", "/name", "/state", "/auth/params", "/auth/params/-", "/auth/params/x/0", "name",
     "/connectionSpec", "/~", "/a~1b", "/auth/specName", "/\ud800", "\udcff"]
) | st.text(max_size=8)  # fmt: skip
instructions = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["add", "replace", "remove", "Move", "\ud800", "ü"]) | leaves,
        "path": paths | leaves,
        "value": documents,
    },
)
creates = st.builds(
    lambda changed: {**HUBSPOT, **changed}, st.dictionaries(names, documents, max_size=2)
)
texts = st.one_of(
    documents.map(json.dumps),
    creates.map(json.dumps),
    st.lists(instructions, max_size=4).map(json.dumps),
    instructions.map(json.dumps),
    st.sampled_from(["[" * 5_000, '{"a":' * 5_000, "NaN", "1e999", "1" * 5_000, "\ufeff{}"]),
)
bodies = texts.map(lambda t: t.encode("utf-8", "surrogatepass")) | st.binary(max_size=40)
words = st.sampled_from(
    ["connections", "search", "test", "explore", "configs", "action", "{made}", "..", "%2e%2e",
     "%00", "%", "%FF", "", "x"]
) | st.text(max_size=4)  # fmt: skip
filters = st.builds(
    "property={}{}{}".format,
    st.sampled_from(["name", "id", "createdAt", "auth", "auth.params.", "zzz", "a[].b", ""]),
    st.sampled_from(["==", "=", ">", "<=", "!>", "~", "!=", ""]),
    st.sampled_from(["a", '"a"', "1", '"', "1,2", ",", "%FF", '"a","b', ""]) | st.text(max_size=4),
)
parameters = st.one_of(
    filters,
    st.builds(
        "{}={}".format,
        st.sampled_from(
            ["limit", "count", "orderby", "continuationToken", "mode", "op", "subOp",
             "objectType", "object", "sourceParams", "preview", "zzz", "%FF"]
        ),
        st.sampled_from(
            ["1", "true", "-name", "draft", "publish", "finalize", "progress", "root", "table",
             "W10=", "VCAx", "%ED%A0%80", "+", "T" * 30]
        )
        | st.text(max_size=4),
    ),
)  # fmt: skip
targets = st.builds(
    lambda parts, query: BASE + "/" + "/".join(parts) + ("?" + "&".join(query) if query else ""),
    st.lists(words, max_size=3),
    st.lists(parameters, max_size=3),
) | st.sampled_from(["*", "", "?", "/ims/token/v3", "/ims/token/v3?client_id=%FF&scope=%00"])
methods = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "x", ""])
values = st.sampled_from(["", "*", "application/json", "prod", "zzz", '"', "é", "Bearer "]) | (
    st.text(st.characters(max_codepoint=255), max_size=6)
)
headers = st.lists(
    st.tuples(
        st.sampled_from(
            ["authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name", "x-sandbox-id",
             "content-type", "if-match", "IF-MATCH", "host"]
        ),
        values,
    ),
    max_size=2,
)  # fmt: skip


def is_well_formed(response: Response) -> None:
    assert 200 <= response.status < 600
    for name, value in response.headers:
        assert (name + value).isascii()
        assert not set("\r\n\0") & set(name + value)
    if response.body:
        kind = "problem+json" if response.status == 501 else "json"
        assert response.headers.get("content-type") == f"application/{kind}"
        document = response.json
        json.dumps(document, allow_nan=False)
        if not response.ok:
            # What the service says itself never holds half a character.
            json.dumps(document, ensure_ascii=False).encode()


@settings(max_examples=700, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    who=st.integers(0, len(CALLERS) - 1),
    method=methods,
    target=targets,
    fields=headers,
    body=bodies,
    current=st.booleans(),
)
def test_any_request_is_answered(
    who: int, method: str, target: str, fields: Any, body: bytes, current: bool
) -> None:
    caller, made = CALLERS[who], MADE[who]
    held = next(c for c in caller.service.connections() if c["id"] == made["id"])
    sent = {**caller.headers(), "content-type": "application/json"}
    if current:
        sent["if-match"] = held["etag"]
    changed = [*fields, *((n, v) for n, v in sent.items() if n.lower() not in dict(fields))]
    request = Request(
        method, ORIGIN, target.replace("{made}", str(made["id"])), Headers(changed), body
    )
    response = caller.service.handle(request)
    is_well_formed(response)
    gone = response.ok and method == "DELETE"
    if not response.ok:
        assert held == next(c for c in caller.service.connections() if c["id"] == made["id"])
    elif gone:
        MADE[who] = caller.service.seed_connection(caller.credentials.ims_org_id, "dev")
    # Whatever was stored, everything can be read again.
    for check in ("/connections", "/connections?orderby=-name,auth.params.clientId"):
        is_well_formed(caller.send("GET", check))
    if len(list(caller.service.connections())) > 100:
        caller.service.reset()
        for number, other in enumerate(CALLERS):
            if other.service is caller.service:
                org = other.credentials.ims_org_id
                MADE[number] = other.service.seed_connection(org, "dev")


@settings(max_examples=300, deadline=None)
@given(who=st.integers(0, len(CALLERS) - 1), wanted=st.lists(instructions, min_size=1, max_size=4))
def test_any_patch_leaves_a_connection_that_can_be_read_and_tested(
    who: int, wanted: list[Any]
) -> None:
    caller = CALLERS[who]
    made = caller.service.seed_connection(caller.credentials.ims_org_id, "dev")
    body = json.dumps(wanted).encode()
    response = caller.send(
        "PATCH", f"/connections/{made['id']}", body=body, headers={"If-Match": made["etag"]}
    )
    is_well_formed(response)
    item = caller.send("GET", f"/connections/{made['id']}")
    is_well_formed(item)
    assert item.ok
    assert not list(CONTRACT.validator("connection").iter_errors(item.json["items"][0]))
    for tail in ("test", "configs", "explore?objectType=root"):
        assert caller.send("GET", f"/connections/{made['id']}/{tail}").ok
    assert caller.send("DELETE", f"/connections/{made['id']}").status in (202, 204, 400)
