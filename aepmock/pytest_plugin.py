"""The pytest plugin: options, marker, fixtures, and the summary of what was judged.

This module is imported in every pytest run of everyone who has aepmock installed, so it imports
pytest and the standard library only; everything heavy is imported where it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from aepmock.errors import UnsupportedTransportError, UsageError
from aepmock.live.flags import add_flags, given
from aepmock.plugin.run import (
    LIVE,
    RUN,
    Run,
    add_to_run,
    flag_of,
    is_worker,
    run_of,
    suite_config,
    suite_readings,
)
from aepmock.plugin.summary import write_summary
from aepmock.settings import OPTIONS, read_live_table

if TYPE_CHECKING:
    from aepmock.judge import Report
    from aepmock.live.in_pytest import LiveSession
    from aepmock.mocks.mock import Mock

# pytest marks only auto-loaded plugins for rewriting by itself, and only before they are imported.
pytest.register_assert_rewrite("aepmock.judge", "aepmock.suite")

__all__ = ["add_to_run", "suite_config", "suite_readings"]

MARKER = (
    "aepmock(strict=True, readings={}, sandbox='dev', faults=[]): how the aepmock fixtures behave"
)
MARKER_KEYS = ("faults", "readings", "sandbox", "strict")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("aepmock", "judging clients of Adobe's Flow Service API")
    for option in OPTIONS.values():
        ini_type = {"list": "args", "flag": "bool"}.get(option.kind, "string")
        parser.addini(option.ini, option.about, type=ini_type, default=None)  # type: ignore[arg-type]
        if option.kind == "flag":
            continue  # strictness belongs to a test or a project, not to a run
        kwargs: dict[str, Any] = {"action": "append"} if option.kind == "list" else {}
        if option.kind == "number":
            kwargs = {"type": int}
        if option.choices:
            kwargs["choices"] = option.choices
        kwargs["metavar"] = None if option.choices else option.name.upper()
        group.addoption(option.flag, help=option.about, default=None, **kwargs)
    add_flags(group.addoption, prefix="aepmock-")
    group.addoption("--aepmock-result", help="for aepmock's own use", default=None)
    group.addoption("--aepmock-attach", help="for aepmock's own use", type=int, default=None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


def _begin_live(config: pytest.Config) -> None:
    """Begins a live run, or takes part in one; only the flag does that."""
    from aepmock.live.in_pytest import begin, join, taken_plan
    from aepmock.live.quiet import keep_quiet
    from aepmock.live.session.plan import Plan

    plan = taken_plan()
    if is_worker(config):
        plan = Plan.from_text(config.workerinput["aepmock_live"])  # type: ignore[attr-defined]
    if plan is not None:
        config.stash[LIVE] = join(plan)
        keep_quiet(config, config.stash[LIVE].handler.redactor)
        return
    flags = given(lambda name: config.getoption(name, None), prefix="aepmock_")
    project, folder = config.rootpath, config.invocation_params.dir
    connector = str(run_of(config).value("connector"))
    try:
        config.stash[LIVE] = begin(
            flags, table=read_live_table(project), folder=folder, connector=connector, say=_say
        )
    except UsageError as error:
        raise pytest.UsageError(f"aepmock: {error}") from None
    keep_quiet(config, config.stash[LIVE].handler.redactor)
    config.add_cleanup(config.stash[LIVE].finish)


def _say(line: str) -> None:
    print(line, file=sys.__stderr__, flush=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Lets xdist's workers take part in the live run of their controller."""
    live = node.config.stash.get(LIVE, None)
    if live is not None:
        node.workerinput["aepmock_live"] = live.handler.plan.to_text()


def pytest_report_header(config: pytest.Config) -> str | None:
    """One line, only where the suite was asked for."""
    asked = [o for o in OPTIONS.values() if o.kind != "flag" and flag_of(config, o)]
    if not asked and not any("contract_tests" in arg for arg in config.args):
        return None
    run = run_of(config)
    mode = "live" if LIVE in config.stash else "mock"
    return (
        f"aepmock: {mode}, transport {run.value('transport')}, readings {run.value('readings')}, "
        f"seed {run.value('seed')}"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Adds what the judge found to the report of a test, where it survives a worker's crash."""
    report = yield
    if RUN not in item.config.stash or call.excinfo is None:
        return report
    from aepmock.suite import ContractBroken

    error = call.excinfo.value
    if isinstance(error, ContractBroken):
        report.user_properties.append(("aepmock.clauses", " ".join(error.clauses)))
        report.sections.append(("aepmock", error.evidence))
    elif "harness" in getattr(item, "fixturenames", ()) and not call.excinfo.errisinstance(
        pytest.skip.Exception
    ):
        kind = _kind(error)
        text = f"{item.nodeid}: {call.excinfo.exconly()}" if kind == "kit" else str(error)
        report.user_properties.append((f"aepmock.{kind}", text))
        config = item.config
        of_judge = kind == "around" and config.getoption("aepmock_result")
        if (of_judge or kind == "misuse") and not is_worker(config):
            # `aepmock judge` tries another transport, or every test would fail alike: stop here.
            item.session.shouldstop = text
    return report


def _kind(error: BaseException) -> str:
    if isinstance(error, UnsupportedTransportError):
        return "around"
    return "misuse" if isinstance(error, UsageError) else "kit"


class ResultCollector:
    """Gathers what tests found: here, or in the controller of several workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for key, value in report.user_properties:
            if not str(key).startswith("aepmock."):
                continue
            run = run_of(self._config)
            if key == "aepmock.clauses":
                for clause in str(value).split():
                    run.first_nodes.setdefault(clause, report.nodeid)
            else:
                run.errors.append((str(key).removeprefix("aepmock."), str(value)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        data = getattr(node, "workeroutput", {}).get("aepmock")
        if data is not None:
            from aepmock.judge import Tally

            run = run_of(self._config)
            run.tally.merge(Tally.from_json(data["tally"]))
            program = suite_config(self._config).program
            if program is not None:
                program.learn_of(data["program"])
        elif error and self._config.getoption("aepmock_result"):
            self._bury(node.gateway.id)

    def _bury(self, worker: str) -> None:
        """Takes over what a worker had found that is gone, and who ended it."""
        from aepmock.suite.keeping import convict, found_so_far

        run = run_of(self._config)
        found = found_so_far(Path(self._config.getoption("aepmock_result")).parent, worker)
        run.tally.merge(found.tally)
        if found.at == "factory":
            run.errors.append(("misuse", f"{run.value('client')} ends the process that makes it"))
        elif found.at:
            convict(run.tally, suite_config(self._config), found.at, None)
        run.cut_short = "a process that judged the client was gone"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if not is_worker(config):
        config.pluginmanager.register(ResultCollector(config), "aepmock-results")
    if config.getoption("aepmock_live"):
        _begin_live(config)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Decides the verdicts and writes the reports, once, where all results come together."""
    config = session.config
    live = config.stash.get(LIVE, None)
    if live is not None:
        live.finish()
    if RUN not in config.stash or not config.stash[RUN].judged:
        return
    run = config.stash[RUN]
    from aepmock.suite import end_program, make_report

    suite = suite_config(config)
    end_program(suite, run.tally, at_once=session.exitstatus == pytest.ExitCode.INTERRUPTED)
    if live is not None:
        live.add_rows(run.tally)
    if is_worker(config):
        program = suite.program.to_json() if suite.program else {}
        data = {"tally": run.tally.to_json(), "program": program}
        config.workeroutput["aepmock"] = data  # type: ignore[attr-defined]
        return

    report = run.report = make_report(
        suite,
        run.tally,
        started_at=run.started_at,
        duration_s=round(monotonic() - run.started, 2),
        cut_short=_cut_short(session, run),
    )
    if live is not None:
        report = run.report = live.completed(report)
    result = config.getoption("aepmock_result")
    if result:
        import json

        document = {"report": report.to_json(), "errors": run.errors}
        Path(result).write_text(json.dumps(document), "utf-8")
    _write_reports(run, report, live)
    if session.exitstatus == pytest.ExitCode.OK and report.exit_status in (1, 2):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _cut_short(session: pytest.Session, run: Run) -> str:
    """Why not every test was run, where that is so."""
    from aepmock.judge.verdicts import INTERRUPTED

    if session.exitstatus == pytest.ExitCode.INTERRUPTED and not session.shouldstop:
        return INTERRUPTED
    stopped = session.shouldstop or session.shouldfail
    return run.cut_short or (" ".join(str(stopped).split()) if stopped else "")


def _write_reports(run: Run, report: Report, live: LiveSession | None) -> None:
    from aepmock.reports import write_report

    for path in run.value("report"):
        write_report(report, Path(path))
        if live is not None:
            live.scan(Path(path))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    write_summary(terminalreporter, config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Loads the mock before the first test that wants it, so that no test pays for it.

    A Hypothesis test with its usual deadline would, else, fail on its first example.
    """
    package = sys.modules["aepmock"]
    for item in session.items:
        names = getattr(item, "fixturenames", ())
        module = getattr(item, "module", None)
        if "aepmock" in names or "aepmock_server" in names or package in _values(module):
            import aepmock.mocks.mock
            from aepmock.contract import load_contract

            load_contract()
            with aepmock.mocks.mock.mock(strict=False):
                return


def _values(module: object) -> list[object]:
    """What a test module holds, compared by identity only: its objects may have odd equality."""
    return (
        [value for value in vars(module).values() if isinstance(value, ModuleType)]
        if module
        else []
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Checks every marker where it stands, before anything runs."""
    for item in items:
        for marker in item.iter_markers("aepmock"):
            try:
                _check_marker(marker)
            except UsageError as error:
                path, line, _ = item.location
                raise pytest.UsageError(f"{path}:{(line or 0) + 1}: {error}") from None


def _check_marker(marker: pytest.Mark) -> None:
    from aepmock.errors import unknown

    if marker.args:
        raise UsageError("the aepmock marker takes names only: aepmock(strict=False)")
    for key in marker.kwargs:
        if key not in MARKER_KEYS:
            raise unknown("argument of the aepmock marker", key, MARKER_KEYS)
    readings = marker.kwargs.get("readings")
    if readings:
        from aepmock.contract import load_contract

        load_contract().resolve_readings(readings)
    if "faults" in marker.kwargs:
        from aepmock.contract import load_contract
        from aepmock.faults.grammar import faults_of

        faults_of(load_contract(), marker.kwargs["faults"])


def _active(request: pytest.FixtureRequest, transport: str) -> Any:
    """A mock as markers and settings want it; the innermost marker wins, key by key."""
    from aepmock.mocks.mock import mock

    run = run_of(request.config)
    strict = run.settings["strict"]
    wanted: dict[str, Any] = {"strict": strict.value, "sandbox": "dev", "readings": {}}
    for marker in reversed(list(request.node.iter_markers("aepmock"))):
        wanted |= marker.kwargs
    if strict.origin == "environment":
        wanted["strict"] = strict.value
    return mock(transport=transport, seed=run.value("seed"), **wanted)


@pytest.fixture
def aepmock(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock Flow Service for one test; requests to Adobe's hosts reach it in process.

    `.settings` is what the client is to be given, `.journal` what was wrong with its requests,
    `.seed_connection(...)`, `.connections`, `.fault(...)`, `.clock` the rest.
    """
    with _active(request, run_of(request.config).value("transport")) as service:
        yield service


@pytest.fixture
def aepmock_server(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """The same behind a real server on loopback, for clients on any HTTP library."""
    with _active(request, "server") as service:
        yield service
