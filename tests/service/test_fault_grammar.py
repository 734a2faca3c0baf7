"""The grammar of faults: what it takes, what it makes of it, and how it says no."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aepmock.contract import load_contract
from aepmock.errors import UsageError
from aepmock.faults.grammar import faults_of, make_fault, read_fault
from aepmock.faults.model import KINDS, LOSABLE, Fault, Step, When

CONTRACT = load_contract()


def step(text: str) -> Step:
    return make_fault(CONTRACT, "connections.create", text).steps[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("503", Step("status", status=503)),
        ("1103-503", Step("code", code="1103-503")),
        ("429050 retry-after 2s", Step("code", code="429050", retry_after_s=2)),
        ("429 retry-after 2", Step("status", status=429, retry_after_s=2)),
        ("bare 502", Step("bare", status=502)),
        ("latency 200ms", Step("latency", seconds=0.2)),
        ("latency 1m", Step("latency", seconds=60)),
        ("slow body", Step("slow body", seconds=1)),
        ("Slow  Body 2 s", Step("slow body", seconds=2)),
        ("reset", Step("reset")),
        ("reset after reading", Step("reset")),
        ("reset after reading after 1s", Step("reset", after_s=1)),
        ("reset before reading", Step("reset before reading")),
        ("empty answer", Step("empty answer")),
        ("garbage body", Step("garbage body")),
        ("html", Step("html", status=502)),
        ("html 504 after 10ms", Step("html", status=504, after_s=0.01)),
        ("redirect", Step("redirect", status=307)),
        ("redirect 302", Step("redirect", status=302)),
        ("redirect https://a.example/x", Step("redirect", status=307, url="https://a.example/x")),
        ("then good", Step("good")),
        ("lost answer: timeout", Step("timeout", lost=True)),
        ("Lost answer : 504", Step("status", status=504, lost=True)),
        ("lost answer: 1103-503", Step("code", code="1103-503", lost=True)),
        ("expired token", Step("expired token")),
    ],
)
def test_a_step_is_read(text: str, expected: Step) -> None:
    assert step(text) == expected
    assert step(str(expected)) == expected


def test_a_fault_is_read_with_its_options() -> None:
    fault = read_fault(
        CONTRACT,
        "connections.*: 503, 503, then good; times=2; call=3; id=a*; name=b c; "
        "header=x-sandbox-name=dev; header=user-agent=*x; body=a=b",
    )
    assert fault == Fault(
        "connections.*",
        (Step("status", status=503), Step("status", status=503), Step("good")),
        2,
        When(3, "a*", "b c", (("user-agent", "*x"), ("x-sandbox-name", "dev")), "a=b"),
    )
    assert read_fault(CONTRACT, str(fault)) == fault


def test_code_and_status_are_short_for_a_step() -> None:
    for given_, expected in (({"code": "1103-503"}, "1103-503"), ({"status": 502}, "bare 502")):
        fault: Fault = make_fault(CONTRACT, "connections.list", **given_)
        assert fault.words == expected


def test_steps_may_be_told_as_text_as_steps_or_both() -> None:
    told: list[str | Step] = ["503, reset", Step("latency", seconds=0.5)]
    fault = make_fault(CONTRACT, "connections.list", told, when=When(call=2))
    assert str(fault) == "connections.list: 503, reset, latency 0.5s; call=2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("connections.create: 503; tims=2", "unknown option of a fault 'tims'; did you mean 'ti"),
        ("connections.creat: 503", "unknown operation 'connections.creat'; did you mean 'conn"),
        ("connection.*: 503", "unknown operation"),
        ("connections.create: latensy 0.2s", "unknown fault 'latensy'; did you mean 'latency'"),
        ("connections.create: rest", "did you mean 'reset'"),
        ("connections.create: timeot", "did you mean 'timeout'"),
        ("connections.create: lost anser: reset", "did you mean 'lost answer'"),
        ("connections.create: garbage boddy", "takes no 'boddy'"),
        ("connections.create: 9999-999", "unknown code '9999-999'"),
        ("connections.create: 099", "099|99 is no status"),
        ("connections.create: 101", "101 is no status of a final answer"),
        ("connections.create: latency", "lacks its seconds: the answer comes later: latency 0.2s"),
        ("connections.create: latency soon", "'soon' is no time; write 0.2s"),
        ("connections.create: latency 2h", "at most 3600 s"),
        ("connections.create: reset 5s", "takes no '5s'"),
        ("connections.create: 503, , 503", "a step of a fault is missing"),
        ("connections.create:", "written OPERATION: WHAT"),
        ("503", "written OPERATION: WHAT"),
        ("connections.create: redirect 404", "404 is no redirect: 301, 302"),
        ("connections.create: redirect /x", "a whole URL"),
        ("connections.create: reset retry-after 2s", "goes with a status or a code"),
        ("connections.create: 429 retry-after 0.5s", "whole seconds"),
        ("connections.create: lost answer: 404", "can't be lost to 404"),
        ("connections.create: lost answer: latency 1s", "does what was asked in any case"),
        ("connections.create: lost answer: good", "can't be lost to good"),
        ("connections.create: 503; times", "written times=…"),
        ("connections.create: 503; times=0", "from 1 to 1000000, not 0"),
        ("connections.create: 503; times=often", "times takes a whole number"),
        ("connections.create: 503; call=0", "call takes"),
        ("connections.create: 503; id=a; id=b", "given twice"),
        ("connections.create: 503; header=x", "header=NAME=VALUE"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_with_the_way_out(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read_fault(CONTRACT, text)


@pytest.mark.parametrize(
    "given_",
    [
        {},
        {"what": "503", "code": "1103-503"},
        {"what": 503},
        {"what": []},
        {"what": [503]},
        {"what": Step("status")},
        {"what": Step("reset", status=503)},
        {"what": Step("nix")},
        {"what": Step("code", code="nix")},
        {"what": "503", "times": True},
        {"what": "503", "times": 1.5},
        {"what": "503", "when": "call 3"},
        {"what": "503", "when": {"cal": 3}},
        {"what": "503", "when": {"call": "3"}},
        {"what": "503", "when": {"header": "x"}},
        {"what": "503", "when": {"header": {"x": 1}}},
        {"what": "503", "when": {"id": 3}},
        {"what": "503, " * 1001},
    ],
)
def test_a_fault_told_in_python_is_checked_too(given_: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        make_fault(CONTRACT, "connections.create", **given_)


def test_a_list_of_faults_holds_texts_and_mappings() -> None:
    found = faults_of(
        CONTRACT,
        [
            Fault("connections.list", (Step("reset"),)),
            {"operation": "connections.get", "fault": "503, reset", "when": {"id": "a"}},
            {"operation": "connections.get", "code": "1103-503", "times": 3},
        ],
    )
    assert [str(fault) for fault in found] == [
        "connections.list: reset",
        "connections.get: 503, reset; id=a",
        "connections.get: 1103-503; times=3",
    ]


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ("connections.list: 503", "takes a list"),
        ({"operation": "connections.list"}, "takes a list"),
        (5, "takes a list"),
        ([5], "a text or a mapping"),
        ([{"fault": "503"}], "needs an operation"),
        ([{"operation": "connections.list", "falt": "503"}], "did you mean 'fault'"),
    ],
)
def test_a_list_that_is_none_is_refused(faults: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        faults_of(CONTRACT, faults)


SECONDS = st.integers(0, 3_600_000).map(lambda ms: ms / 1000)
PLAIN = [kind for kind, about in KINDS.items() if not about.takes]
STEPS = st.one_of(
    st.builds(Step, st.sampled_from(PLAIN), after_s=SECONDS),
    st.builds(Step, st.sampled_from(["latency", "slow body"]), seconds=SECONDS, after_s=SECONDS),
    st.builds(
        Step,
        st.sampled_from(["status", "bare", "html"]),
        status=st.integers(500, 599),
        retry_after_s=st.none() | st.integers(0, 3600),
        after_s=SECONDS,
        lost=st.booleans(),
    ).filter(lambda s: s.kind != "bare" or not s.lost or s.status),
    st.builds(Step, st.just("code"), code=st.sampled_from(sorted(CONTRACT.errors))),
    st.builds(Step, st.sampled_from(sorted(set(LOSABLE) - {"html"})), lost=st.just(True)),
    st.builds(
        Step,
        st.just("redirect"),
        status=st.sampled_from([301, 302, 303, 307, 308]),
        url=st.none() | st.just("https://elsewhere.example/a?b=c"),
    ),
)


@given(
    steps=st.lists(STEPS, min_size=1, max_size=5),
    times=st.integers(1, 9),
    call=st.integers(1, 9),
)
def test_what_is_written_is_read_again(steps: list[Step], times: int, call: int) -> None:
    fault = make_fault(CONTRACT, "connections.*", steps, times=times, when={"call": call})
    assert read_fault(CONTRACT, str(fault)) == fault


@given(st.text(max_size=60))
def test_any_text_is_a_fault_or_misuse(text: str) -> None:
    for whole in (text, f"connections.list: {text}"):
        try:
            fault = read_fault(CONTRACT, whole)
        except UsageError:
            continue
        assert read_fault(CONTRACT, str(fault)) == fault
