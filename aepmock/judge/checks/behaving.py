"""Family 3: whether a method works at all, and leaves the process that called it alone."""

from __future__ import annotations

from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.exception_details import crashed
from aepmock.judge.findings import Unproven, Violation
from aepmock.judge.transcript import TIMEOUT_FACTOR, Call, Transcript

_BESIDE = ("seed", "factory", "close")
_LONGEST = 200


def fails_on_good_answers(call: Call) -> bool:
    """Whether a call raised although nothing that it asked for was refused.

    One that sent nothing was given no reason either. What is refused may be the fault of the
    request, which has clauses of its own; so has a call that never comes back.
    """
    if call.operation in _BESIDE or call.unanswered or call.timed_out or call.raised is None:
        return False
    return all(e.response.ok for e in call.exchanges)


def hangs_on_good_answers(call: Call) -> bool:
    """Whether a call that was answered well took all the time that it had.

    One that was broken off before, for its endless requests, has clauses of its own.
    """
    if call.operation in _BESIDE or not call.timed_out:
        return False
    long = call.took_s >= TIMEOUT_FACTOR * call.settings.timeout_s
    return long and all(e.response.ok for e in call.exchanges)


def ends_the_process(call: Call) -> bool:
    """Whether a call raised what a caller's `except Exception` does not catch, to end it."""
    return isinstance(call.raised, SystemExit | KeyboardInterrupt)


def reported(call: Call) -> Unproven | None:
    """What a call shows that raised where it should: None if that was to report an error."""
    if call.raised is None or not crashed(call.raised):
        return None
    name = type(call.raised).__name__
    return Unproven(f"the client's own code fails with {name}, which tells of no refusal")


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text[:_LONGEST]}" if text else name


@transcript_check("answers.good")
def good(transcript: Transcript) -> Verdicts:
    for call in transcript.calls if transcript.first else ():
        if hangs_on_good_answers(call):
            yield Violation(
                f"{call.operation} does not come back, though it was answered well",
                "a return value from a plain call",
                f"no end after {call.took_s:.0f} s and {len(call.exchanges)} answer(s)",
                call.exchanges[-1] if call.exchanges else None,
            )
            continue
        if call.operation in _BESIDE or call.unanswered or call.timed_out or ends_the_process(call):
            continue
        if call.raised is None:
            yield None
        elif fails_on_good_answers(call):
            sent = transcript.primary(call)
            name = type(call.raised).__name__
            yield Violation(
                f"{call.operation} raises {name} on a good answer"
                if sent
                else f"{call.operation} raises {name} before it has sent what it is for",
                "a return value from a plain call that is answered well",
                _told(call.raised),
                sent[-1] if sent else None,
            )


@transcript_check("answers.exit")
def exits(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        if call.operation == "seed" or call.unanswered or call.changed is None:
            continue
        if call.raised is not None and ends_the_process(call):
            yield Violation(
                f"{call.operation} raises {type(call.raised).__name__}, which ends the program "
                "that called it",
                "an error that except Exception catches",
                _told(call.raised),
                call.exchanges[-1] if call.exchanges else None,
            )
        else:
            yield None


@transcript_check("answers.process")
def process(transcript: Transcript) -> Verdicts:
    for call in transcript.calls:
        if call.changed:
            what = "the making of a client" if call.operation == "factory" else call.operation
            yield Violation(
                f"{what} changes {call.changed[0]} of the process that called it",
                "a process that is as it was before the call",
                f"changed: {', '.join(call.changed)}",
            )
        elif call.changed is not None:
            yield None


@transcript_check("answers.threads")
def threads(transcript: Transcript) -> Verdicts:
    for call in transcript.of("close"):
        if call.threads:
            yield Violation(
                "a thread of the client goes on after close",
                "no thread that was not there before the client was made",
                f"still there: {', '.join(call.threads[:3])}",
            )
        elif call.threads is not None:
            yield None
