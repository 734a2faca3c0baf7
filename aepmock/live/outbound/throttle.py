"""When a request may go, and what the answers ask of whoever comes next."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime

from aepmock.live.session.journal import lock_of
from aepmock.live.session.plan import Plan, Ports
from aepmock.live.session.shared_state import LiveStopped, SharedState, State
from aepmock.messages import Request, Response
from aepmock.net import media_type

MOST_WAIT_S = 60.0
FIRST_BACKOFF_S = 2.0
MOST_UNAUTHORISED = 3
LOOK_UPS = 6
"""Requests of a budget that are kept for looking up what was lost."""
_MOST_DIGITS = 12
GATEWAY_HTML = ("text/html", "text/plain")


def is_disturbance(response: Response) -> bool:
    """Whether an answer is neither the client's fault nor what the service means to say.

    A 5xx, a page of a gateway, or the stand-in for an answer that never came.
    """
    if response.status >= 500:
        return True
    kind = media_type(response.headers.get("content-type"))
    return kind in GATEWAY_HTML and bool(response.body) and response.json_or_none is None


def retry_after_s(response: Response, now: float) -> float | None:
    """The seconds of a Retry-After, whether it is a number or a date; None for neither."""
    value = (response.headers.get("retry-after") or "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:_MOST_DIGITS])
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


class Throttle:
    """Maximum number of requests, rate and back-off, kept by all processes of a run.

    `owner` says that this process began the run, and is the one that cleans up.
    """

    def __init__(self, plan: Plan, state: SharedState, ports: Ports, *, owner: bool) -> None:
        self._plan = plan
        self._owner = owner
        self._budget = plan.settings.max_requests
        self._interval_s = 1 / plan.settings.rate
        self._state = state
        self._ports = ports

    def spent(self) -> bool:
        """Whether what is left of the budget is needed for cleaning up."""
        with self._state.changing() as state:
            if self._left(state) <= 0:
                state.spent = True
            return state.spent

    def _left(self, state: State) -> int:
        return self._budget - state.sent - state.owned - LOOK_UPS

    def wait(self) -> None:
        """Waits until the rate and any Retry-After allow a request. Raises LiveStopped."""
        while True:
            state = self._state.look()
            if state.stopped or (state.ended and not state.closed):
                raise LiveStopped(state.stopped or state.ended)
            wait_s = min(state.not_before - self._ports.now(), MOST_WAIT_S)
            if wait_s <= 0:
                return
            self._ports.sleep(wait_s)

    def wait_s(self) -> float:
        """For how many seconds the service has said that it lets nobody in; 0 for none."""
        return max(0.0, self._state.look().closed_until - self._ports.now())

    def close(self) -> None:
        """From now on only this process sends anything, to clean up; the budget ends nothing."""
        with suppress(LiveStopped), self._state.changing() as state:
            state.closed = True
        self._state.go_alone()
        with self._state.changing() as state:
            state.closed = True

    def take_turn(self) -> None:
        """Counts a request and waits for its turn in the pace.

        Raises LiveStopped in a process whose run has ended, or has lost the process it is of.
        """
        if not self._owner and not self._owned():
            raise LiveStopped("the process that began this live run is gone; nothing more was sent")
        with self._state.changing() as state:
            if state.closed and not self._owner:
                raise LiveStopped("the live run has ended")
            now = self._ports.now()
            turn = max(now, state.next_at)
            state.next_at = turn + self._interval_s
            state.sent += 1
        if turn > now:
            self._ports.sleep(min(turn - now, MOST_WAIT_S))

    def _owned(self) -> bool:
        """Whether the process that began the run still holds its lock."""
        from filelock import FileLock, Timeout

        lock = FileLock(lock_of(self._plan.journal_path))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def note(self, request: Request, response: Response, *, renewable: bool = False) -> None:
        """Learns from an answer how long to leave the service alone. Raises LiveStopped.

        `renewable` says that a 401 is about a token that has worked, and that whoever sent it can
        replace.
        """
        now = self._ports.now()
        with self._state.changing() as state:
            if not (response.status == 401 and renewable):
                state.unauthorised = state.unauthorised + 1 if response.status == 401 else 0
            if state.unauthorised >= MOST_UNAUTHORISED:
                state.stopped = (
                    f"{MOST_UNAUTHORISED} answers in a row were 401: the token is not accepted, "
                    "and nothing more was sent. `aepmock live doctor` says which setting it is"
                )
            disturbed = is_disturbance(response)
            if disturbed:
                kind = "no answer" if response.injected else str(response.status)
                state.note_disturbance(f"{request.method} {_short(request.path)}: {kind}")
            state.throttled += response.status == 429
            if response.status == 429 or disturbed:
                asked = retry_after_s(response, now)
                state.backoff_s = min(max(FIRST_BACKOFF_S, state.backoff_s * 2), MOST_WAIT_S)
                wait_s = state.backoff_s if asked is None else min(asked, MOST_WAIT_S)
                state.not_before = max(state.not_before, now + wait_s)
                if response.status == 429:
                    state.closed_until = state.not_before
            else:
                state.backoff_s = 0.0
            stopped = state.stopped
        if stopped:
            raise LiveStopped(stopped)


def _short(path: str) -> str:
    return path.removeprefix("/data/foundation")[:60]
