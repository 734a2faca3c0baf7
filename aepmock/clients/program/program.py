"""A client in another language: a program that speaks JSON lines over stdin and stdout."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from aepmock.client_api import ClientSettings, ProtocolObservation
from aepmock.clients.driver import CallBroken, CallLost
from aepmock.clients.program.jsonlines import (
    PARAMETERS,
    PROTOCOL,
    Answer,
    Hello,
    all_args,
    not_read,
    parse,
    read_answer,
    read_hello,
    request_line,
)
from aepmock.clients.program.pipes import Channel, Clock, Line
from aepmock.errors import ClientError


@dataclass(frozen=True)
class Timeouts:
    """How many seconds a program has to say hello, to answer a call beside `timeout_s` for each
    answer that it needs, and to end after bye."""

    hello_s: float = 30.0
    margin_s: float = 8.0
    end_s: float = 5.0


ENDLESS = Timeouts(math.inf, math.inf)
LOST_S = 300.0
"""Seconds of a run that may be lost to hanging, ending and starting anew."""
SECOND_CHANCE_S = 1.0
"""How long the right answer is waited for once one with a wrong id has come."""
CHANCES = 3
"""How often it is waited for; after that nobody expects it any more."""
_TICK_S = 0.25
_MOST_STRAYS = 1_000
_LOG_LINES = 8
_BRIEF, _MOST = 160, 4_000


class Program:
    """A program under test, for a whole run: started when first wanted, anew after a fault.

    `start` gives a channel to a new process; with `again` false only once. `allowed_s` tells, while
    a call goes on, how many seconds it may take in all; it may raise CallBroken. How the program
    keeps to the protocol is kept for `take_observations`, after `redact` has taken the secrets out
    of what it wrote; `given_up` says why it is not asked any more.
    """

    def __init__(
        self,
        start: Callable[[], Channel],
        *,
        clock: Clock,
        redact: Callable[[str], str],
        timeouts: Timeouts,
        again: bool = True,
    ) -> None:
        self._start = start
        self._clock = clock
        self._redact = redact
        self._patience = timeouts
        self._again = again
        self._channel: Channel | None = None
        self._conduct: list[ProtocolObservation] = []
        self._told: set[str] = set()
        self._number = 0
        self._wrong_ids = 0
        self._quiet = True
        self._lost_s = 0.0
        self.hello: Hello | None = None
        self.given_up = ""
        self.allowed_s: Callable[[], float] = lambda: math.inf

    def client(self, settings: ClientSettings) -> ProgramClient:
        """The program as a client with these settings; it has to be `ready`."""
        assert self.hello is not None
        return ProgramClient(self, settings, self.hello.operations)

    @property
    def log(self) -> str:
        """The last lines of its stderr as they came, secrets and all."""
        return "\n".join(self._channel.log) if self._channel is not None else ""

    def take_observations(self) -> list[ProtocolObservation]:
        """How it behaved since this was last asked."""
        taken, self._conduct = self._conduct, []
        return taken

    def ready(self) -> bool:
        """Whether it can be asked; starts it, and says hello, where it is not running.

        Raises UsageError for a program that can't be started.
        """
        if self.given_up or self._channel is not None:
            return not self.given_up
        if self.hello is not None and not self._again:
            self.given_up = "it is gone, and can't be started anew from here"
            return False
        if self._lost_s > LOST_S:
            self.given_up = "it hung or ended too often"
            return False
        began = self._clock()
        channel = self._channel = self._start()
        found = self._greet(channel)
        if self.hello is not None:
            self._lost_s += self._clock() - began
        if isinstance(found, str):
            expected = f"a name and operations, within {self._patience.hello_s:g} s"
            self._blame("program.hello", "the program does not say hello", expected, found)
            self.stop()
            self.given_up = "it did not say hello"
            return False
        self._conduct.append(ProtocolObservation("program.hello"))
        self.hello = found
        return True

    def call(self, operation: str, settings: ClientSettings, args: Mapping[str, Any]) -> Any:
        """What the program answers. Raises ClientError for an error that it reports.

        Raises CallBroken where it hangs, CallLost where no answer came that could be judged.
        """
        if not self.ready() or self._channel is None:
            raise CallLost(self.given_up)
        answer = self._ask(self._channel, operation, all_args(operation, args), settings)
        if answer.flaw:
            self._blame_form(operation, answer)
        else:
            self._conduct.append(ProtocolObservation("program.shape"))
        if answer.empty and operation != "delete_connection":
            raise CallLost(answer.flaw)
        if answer.error is not None:
            raise _reported(answer.error)
        return answer.result

    def end(self) -> None:
        """Says bye, and sees whether it ends in time."""
        channel = self._channel
        if channel is None:
            return
        self._read_strays(channel)
        if channel.ended:
            summary = "the program ends before bye"
            self._blame("program.alive", summary, "to go on until bye", self._end_of(channel))
            self.stop()
            return
        self._number += 1
        deadline = self._clock() + self._patience.end_s
        channel.send(request_line(self._number, "bye"), within_s=self._patience.end_s)
        while not channel.ended and (left := deadline - self._clock()) > 0:
            line = channel.receive(left)
            if line is not None:
                self._message(line)
        if channel.ended:
            self._conduct.append(ProtocolObservation("program.ends"))
        elif self._again:  # of one that was attached only a connection is seen
            expected = f"its end within {self._patience.end_s:g} s"
            got = "it still runs, and was stopped"
            self._blame("program.ends", "the program goes on after bye", expected, got)
        self.stop()

    def stop(self) -> None:
        """Stops it at once, if it runs."""
        if self._channel is not None:
            self._channel.stop()
            self._channel = None

    def _greet(self, channel: Channel) -> Hello | str:
        """The hello of a program that was just started, or what is wrong with it."""
        self._number = 0
        deadline = self._clock() + self._patience.hello_s
        channel.send(
            request_line(0, "hello", {"protocol": PROTOCOL}), within_s=self._patience.hello_s
        )
        while (left := deadline - self._clock()) > 0:
            line = channel.receive(left)
            message = self._message(line) if line is not None else None
            if channel.ended and line is None:
                return self._end_of(channel)
            if message is None:
                continue
            answer = read_answer(message)
            if not _same(answer.id, 0) and not not_read(answer):
                self._blame_id("hello", 0, message)
            return read_hello(answer)
        return f"silence{self._rest_of(channel)}"

    def _ask(
        self, channel: Channel, operation: str, args: Mapping[str, Any], settings: ClientSettings
    ) -> Answer:
        self._read_strays(channel)
        self._number += 1
        number, began = self._number, self._clock()
        line = request_line(number, operation, args, settings)
        # One that does not read is found out below, by its not answering.
        channel.send(line, within_s=self.allowed_s())
        candidate: Answer | None = None
        last_chance_s = math.inf
        self._quiet = True
        while (spent := self._clock() - began) < last_chance_s:
            allowed = self._allowed_s(spent)
            if spent >= allowed:
                self._hung(channel, operation, spent)
            found = channel.receive(min(allowed - spent, last_chance_s - spent, _TICK_S))
            if found is None and channel.ended:
                self._died(channel, operation, spent)
            message = self._message(found) if found is not None else None
            if message is None:
                continue
            answer = read_answer(message)
            if _same(answer.id, number):
                self._praise()
                return answer
            if not_read(answer):
                self._not_understood(operation, answer)
            self._blame_id(operation, number, message)
            candidate = candidate if _earlier(answer.id, number) else answer
            last_chance_s = min(last_chance_s, self._clock() - began + self._chance_s())
        return candidate if candidate is not None else self._out_of_step()

    def _message(self, line: Line) -> dict[str, Any] | None:
        """The answer on a line, or None for anything else, which does not belong there."""
        message = parse(line.octets)
        if message is None or not message.keys() & {"id", "result", "error"}:
            self._blame_line(line)
            return None
        return message

    def _chance_s(self) -> float:
        """How long the right answer may still come after one with a wrong id."""
        self._wrong_ids += 1
        if self._wrong_ids > CHANCES:
            return 0.0
        self._lost_s += SECOND_CHANCE_S
        return SECOND_CHANCE_S

    def _allowed_s(self, spent: float) -> float:
        try:
            return self.allowed_s()
        except CallBroken:
            # It sends requests without end, which is no matter of the protocol.
            self._lost_s += spent
            self.stop()
            raise

    def _praise(self) -> None:
        kept = ["program.ids", "program.answers", "program.alive", "program.reads"]
        self._conduct += map(
            ProtocolObservation, [*kept, "program.stdout"] if self._quiet else kept
        )

    def _read_strays(self, channel: Channel) -> None:
        """Whatever came before anything was asked, unless that has no end."""
        for _ in range(_MOST_STRAYS):
            line = channel.waiting()
            if line is None:
                return
            message = self._message(line)
            if message is not None:
                summary = "the program answers what nobody asked"
                got = f"another line with the id {self._brief(message.get('id'))}"
                self._blame("program.ids", summary, "one answer to each request", got)

    def _died(self, channel: Channel, operation: str, spent: float) -> NoReturn:
        summary = f"the program ends before it has answered {operation}"
        self._blame(
            "program.alive", summary, "an answer, and to go on until bye", self._end_of(channel)
        )
        self._lost_s += spent
        self.stop()
        raise CallLost(summary)

    def _hung(self, channel: Channel, operation: str, spent: float) -> NoReturn:
        summary = f"the program does not answer {operation}"
        expected = "an answer, be it an error that says that none came from the service"
        got = f"no answer in {spent:.0f} s{self._rest_of(channel)}; it was stopped"
        self._blame("program.answers", summary, expected, got)
        answering = bool(channel.half)
        self._lost_s += spent
        self.stop()
        if answering:
            # It has come back, whatever it would have said: that is all that is wrong.
            raise CallLost(summary, hung=True)
        raise CallBroken

    def _out_of_step(self) -> NoReturn:
        self.stop()
        raise CallLost("its answers are out of step")

    def _not_understood(self, operation: str, answer: Answer) -> NoReturn:
        said = self._brief((answer.error or {}).get("message"))
        summary = f"the program can't read a request for {operation}"
        expected = "every line of JSON is read, whatever text it holds"
        self._blame("program.reads", summary, expected, f"the id null, and the message {said}")
        raise CallLost(summary)

    def _blame_form(self, operation: str, answer: Answer) -> None:
        summary = f"an answer to {operation} has not the form of one"
        expected = "a result, or an error with status, code and message"
        got = answer.flaw
        if answer.empty and operation == "delete_connection":
            got += "; what returns nothing answers with the result null"
        self._blame("program.shape", summary, expected, got)

    def _blame_id(self, operation: str, number: int, message: Mapping[str, Any]) -> None:
        got = f"the id {self._brief(message['id'])}" if "id" in message else "no id"
        summary = f"an answer to {operation} does not carry the id of its request"
        self._blame("program.ids", summary, f"the id {number}", got)

    def _blame_line(self, line: Line) -> None:
        kind = "a line that is too long" if line.too_long else "a line"
        summary = "the program writes something else than answers to stdout"
        expected = "answers only, one object of JSON a line; anything else belongs on stderr"
        self._quiet = False
        if summary not in self._told or not self._blamed(summary):
            got = "" if summary in self._told else f"{kind}: {self._quoted(line.octets)}"
            self._blame("program.stdout", summary, expected, got)

    def _blame(self, clause: str, summary: str, expected: str, got: str) -> None:
        """Keeps a fault, with the last of stderr; of those of one summary, only the first whole."""
        shown, log = "the same again", tuple[str, ...]()
        if summary not in self._told and self._channel is not None:
            self._told.add(summary)
            log = tuple(_cut(self._redact(line)) for line in self._channel.log[-_LOG_LINES:])
            shown = self._redact(got)
        self._conduct.append(ProtocolObservation(clause, summary, expected, shown, log))

    def _blamed(self, summary: str) -> bool:
        """Whether this is kept already: a program may write such lines without end."""
        return any(seen.summary == summary for seen in self._conduct)

    def _end_of(self, channel: Channel) -> str:
        return channel.fate() + self._rest_of(channel)

    def _rest_of(self, channel: Channel) -> str:
        """What there is of a line that has no end."""
        if not channel.half:
            return ""
        return f", after a line without an end: {self._quoted(channel.half)}"

    def _brief(self, value: object) -> str:
        """A value as a short text without secrets: they are taken out before it is cut."""
        return _cut(self._redact(repr(value)))

    def _quoted(self, octets: bytes) -> str:
        return self._brief(octets[:_MOST].decode("utf-8", "replace"))


class ProgramClient:
    """A program as a client: it has the methods that its hello names, and no others."""

    def __init__(
        self, program: Program, settings: ClientSettings, operations: tuple[str, ...]
    ) -> None:
        for operation in operations:
            setattr(self, operation, partial(_called, program, settings, operation))


def _called(
    program: Program, settings: ClientSettings, operation: str, *args: Any, **keywords: Any
) -> Any:
    named = dict(zip(PARAMETERS[operation], args, strict=False))
    return program.call(operation, settings, {**named, **keywords})


def _reported(error: Mapping[str, Any]) -> ClientError:
    """A program's error as an exception; what is not of its kind is left to the text."""
    status, code, message = (error.get(name) for name in ("status", "code", "message"))
    known = status if isinstance(status, int) and not isinstance(status, bool) else None
    return ClientError(
        "" if message is None else str(message),
        status=known,
        code=None if code is None else str(code),
    )


def _earlier(found: Any, number: int) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < number


def _same(found: Any, number: int) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found == number


def _cut(text: str) -> str:
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"
