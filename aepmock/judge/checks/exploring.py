"""Family 2: what a connection is explored for."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from aepmock.judge.answers import same
from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript
from aepmock.messages import Exchange


def _parameter(exchange: Exchange, name: str) -> str | None:
    """A parameter of explore, whose names the sources write in several cases."""
    return next((v for k, v in exchange.request.query if k.lower() == name.lower()), None)


def _explored(transcript: Transcript) -> Iterator[tuple[Call, Exchange]]:
    for call in transcript.of("explore_connection"):
        for exchange in transcript.primary(call)[:1]:
            yield call, exchange


def _reaches(exchange: Exchange, name: str, wanted: str, *, right: bool) -> Violation | None:
    if right:
        return None
    sent = _parameter(exchange, name)
    return Violation(
        f"{name} does not reach the wire",
        f"{name}={wanted}",
        f"{name}={sent}" if sent is not None else f"no {name}",
        exchange,
    )


def _in_any_case(exchange: Exchange, name: str, wanted: str) -> Violation | None:
    """The sources print the values of an enumeration in several cases."""
    sent = _parameter(exchange, name)
    right = sent is not None and sent.lower() == wanted.lower()
    return _reaches(exchange, name, wanted, right=right)


@transcript_check("connections.explore.object-type")
def object_type(transcript: Transcript) -> Verdicts:
    for call, exchange in _explored(transcript):
        yield _in_any_case(exchange, "objectType", call.args["object_type"])


@transcript_check("connections.explore.object")
def explored_object(transcript: Transcript) -> Verdicts:
    for call, exchange in _explored(transcript):
        wanted = call.args.get("object")
        if wanted is not None:
            right = _parameter(exchange, "object") == wanted
            yield _reaches(exchange, "object", wanted, right=right)


@transcript_check("connections.explore.file-type")
def file_type(transcript: Transcript) -> Verdicts:
    for call, exchange in _explored(transcript):
        wanted = call.args.get("file_type")
        if wanted is not None:
            yield _in_any_case(exchange, "fileType", wanted)


@transcript_check("connections.explore.preview")
def preview(transcript: Transcript) -> Verdicts:
    """One that nobody asked for is the matter of request.unasked-parameters."""
    for call, exchange in _explored(transcript):
        if call.args.get("preview"):
            right = _parameter(exchange, "preview") == "true"
            yield _reaches(exchange, "preview", "true", right=right)


@transcript_check("connections.explore.source-params")
def source_params(transcript: Transcript) -> Verdicts:
    """An empty document may be left out: no source speaks of one that has to be sent."""
    for call, exchange in _explored(transcript):
        wanted = call.args.get("source_params")
        sent = _parameter(exchange, "sourceParams")
        if wanted is None or (not wanted and not sent):
            continue
        shown = base64.b64encode(json.dumps(dict(wanted)).encode()).decode()
        right = sent is not None and same(_decoded(sent), dict(wanted))
        yield _reaches(exchange, "sourceParams", shown, right=right)


def _decoded(text: str) -> Any:
    """The document in base64, with its padding or without: the sources print both."""
    try:
        return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except ValueError:
        return None
