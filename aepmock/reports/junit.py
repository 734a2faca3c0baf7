"""The report as JUnit XML, one test case a clause, for the CI systems that show such files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from aepmock.reports.escaping import visible, visible_block
from aepmock.reports.view import NOTHING_EXERCISED, TAKE_IT_OFF, parts

if TYPE_CHECKING:
    from aepmock.judge import ClauseResult, Report

_SKIPPED = ("known-failing", "unsupported", "not-exercised")


def render_junit(report: Report) -> str:
    """The report as an XML document of one suite.

    Broken musts and unexpected passes are failures; a broken should or open clause is told in
    system-out. A run that exercised nothing has one test case more, with an error, because a
    file of nothing but skipped cases passes for success.
    """
    suite = Element("testsuite", {"name": "aepmock", **_counts(report)})
    properties = SubElement(suite, "properties")
    for name in ("client", "contract", "transport", "seed", "mode", "not_imitated"):
        value = visible(str(getattr(report, name)))
        SubElement(properties, "property", name=name, value=value)
    for result in report.results:
        suite.append(_testcase(result))
    if not report.exercised:
        suite.append(_nothing_exercised())
    kept = ("name", "tests", "failures", "errors", "time")
    root = Element("testsuites", {name: suite.attrib[name] for name in kept})
    root.append(suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _counts(report: Report) -> dict[str, str]:
    verdicts = [str(result.verdict) for result in report.results]
    errors = int(not report.exercised)
    return {
        "tests": str(len(verdicts) + errors),
        "failures": str(sum(map(_fails, report.results))),
        "errors": str(errors),
        "skipped": str(sum(verdict in _SKIPPED for verdict in verdicts)),
        "time": f"{report.duration_s:.3f}",
        "timestamp": visible(report.started_at),
    }


def _testcase(result: ClauseResult) -> Element:
    clause, verdict = result.clause, str(result.verdict)
    area = clause.id.rpartition(".")[0] or clause.id
    case = Element("testcase", classname=visible(area), name=visible(clause.id))
    details = "\n\n".join(_findings(result))
    if verdict in _SKIPPED:
        words = verdict.replace("-", " ")
        message = f"{words}: {result.reason}" if result.reason else words
        SubElement(case, "skipped", message=visible(message))
    elif verdict == "unexpected-pass":
        failure = SubElement(case, "failure", type=verdict, message=TAKE_IT_OFF)
        failure.text = visible(f"known failing: {result.reason}")
    elif _fails(result):
        first = result.findings[0].summary if result.findings else clause.text
        failure = SubElement(case, "failure", type=verdict, message=visible(first))
        failure.text = details
        return case
    if details:
        SubElement(case, "system-out").text = f"{verdict} ({clause.grade})\n\n{details}"
    return case


def _fails(result: ClauseResult) -> bool:
    verdict = str(result.verdict)
    return verdict == "unexpected-pass" or (verdict == "broken" and result.clause.grade == "must")


def _findings(result: ClauseResult) -> Iterator[str]:
    for finding in result.findings:
        lines = [visible(finding.summary)]
        for part in parts(result, finding):
            lines.append(f"{part.label}:{'' if part.form == 'block' else ' '}")
            if part.form == "block":
                lines.append(visible_block(part.text))
            else:
                lines[-1] += visible(part.text)
        yield "\n".join(lines)


def _nothing_exercised() -> Element:
    case = Element("testcase", classname="aepmock", name="aepmock.run")
    SubElement(case, "error", type="nothing-exercised", message=NOTHING_EXERCISED)
    return case
