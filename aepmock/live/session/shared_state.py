"""What the processes of one run share: its token, request count and rate, in one locked file.

The file stands in a private folder that goes with the run. Times are epoch seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aepmock.errors import UsageError

MOST_NOTES = 50


@dataclass
class State:
    """Counts, times, and what was noted.

    `sent` requests have the kit's own among them; `owned` connections are to be deleted.
    `next_at` is when the next request may go by the pace, `not_before` by a Retry-After or a
    back-off of `backoff_s`; `closed_until` until when a 429 lets nobody in. `unauthorised`
    counts 401 answers in a row; `stopped` says why nothing more is to be sent; `ended` why the
    run can't go on, though what it created is to be deleted; `closed` that only whoever tidies up
    may send. `held` tells of requests of the client that did not leave. `token_worked` says that
    the service once took the token; `names` counts the names that were given to creates.
    """

    token: str = ""
    token_worked: bool = False
    names: int = 0
    old_tokens: list[str] = field(default_factory=list)
    tokens_minted: int = 0
    tokens_of_clients: int = 0
    clients_tokens: list[str] = field(default_factory=list)
    sent: int = 0
    created: int = 0
    deleted: int = 0
    owned: int = 0
    next_at: float = 0.0
    not_before: float = 0.0
    closed_until: float = 0.0
    backoff_s: float = 0.0
    unauthorised: int = 0
    stopped: str = ""
    ended: str = ""
    closed: bool = False
    spent: bool = False
    disturbances: list[str] = field(default_factory=list)
    disturbed: int = 0
    throttled: int = 0
    slowest_s: float = 0.0
    held: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note_held(self, text: str) -> None:
        if text not in self.held and len(self.held) < MOST_NOTES:
            self.held.append(text)

    def note_disturbance(self, text: str) -> None:
        self.disturbed += 1
        if text not in self.disturbances and len(self.disturbances) < MOST_NOTES:
            self.disturbances.append(text)


class LiveStopped(UsageError):
    """The run must not go on: nothing more is sent. Exit status 2."""


class SharedState:
    """The file of a run's state; `changing` gives it to one process at a time.

    Once the private folder is gone the run is over: it can be looked at, but not be changed.
    """

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock

        self._path = folder / "state.json"
        self._last = State()
        self._alone = False
        self._lock = FileLock(folder / "state.lock", mode=0o600)
        self._minting = FileLock(folder / "token.lock", mode=0o600)

    @contextmanager
    def minting(self) -> Iterator[None]:
        """In here no other process of the run asks for a token."""
        with self._minting:
            yield

    @contextmanager
    def changing(self) -> Iterator[State]:
        """The state, for this process alone; what is changed is written at the end.

        Raises LiveStopped once the run is over, and where the state can't be written.
        """
        if self._alone:
            yield self._last
            return
        if not self._path.parent.is_dir():
            raise LiveStopped("the live run is over")
        with self._lock:
            state = self._read()
            before = asdict(state)
            try:
                yield state
            finally:
                if asdict(state) != before or not self._path.exists():
                    self._kept(state)

    def go_alone(self) -> None:
        """From now on this process keeps the state to itself: no full disk is in its way."""
        self._last = self.look()
        self._alone = True

    def note_slowness(self, took_s: float) -> None:
        """Keeps how long the slowest answer took."""
        with self.changing() as state:
            state.slowest_s = max(state.slowest_s, took_s)

    def look(self) -> State:
        """The state as it is now, or as this process saw it last."""
        if self._alone or not self._path.parent.is_dir():
            return self._last
        with self._lock:
            self._last = self._read()
        return self._last

    def _read(self) -> State:
        if not self._path.exists():
            return State()
        return State(**json.loads(self._path.read_text("utf-8")))

    def _kept(self, state: State) -> None:
        try:
            self._write(state)
        except OSError as error:
            raise LiveStopped(f"the state of the run can't be written: {error}") from None

    def _write(self, state: State) -> None:
        draft = self._path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(state)), "utf-8")
        draft.replace(self._path)
