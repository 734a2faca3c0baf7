"""The journal as server-sent events: what is missed is sent again after Last-Event-ID."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from aepmock.messages import Request
from aepmock.server.journal import Entry, Journal

BATCH = 5
HEARTBEAT_S = 15.0


def last_seen(request: Request) -> int:
    """The number after which a client wants to go on; 0, the beginning, where it is none."""
    for text in (request.headers.get("last-event-id"), request.parameter("since")):
        if text is not None and text.isascii() and text.isdigit() and len(text) < 16:
            return int(text)
    return 0


async def events(
    journal: Journal, since: int, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[bytes]:
    """Entries from `since` on for ever: events `exchange`, `gap` where some are lost, `reset`."""
    changed = asyncio.Event()
    unfollow = journal.follow(changed.set)
    # A higher number is from an earlier life of this server.
    seen = since if since <= journal.last else 0
    clearings = journal.clearings
    try:
        yield b"retry: 1000\n\n"
        if seen != since:
            yield b"event: reset\ndata: {}\n\n"
        while not journal.closed:
            changed.clear()
            if clearings != journal.clearings:
                clearings = journal.clearings
                yield b"event: reset\ndata: {}\n\n"
            entries = journal.since(seen, BATCH)
            if entries:
                lost = entries[0].number - seen - 1
                if seen and lost > 0:
                    yield f'event: gap\ndata: {{"lost": {lost}}}\n\n'.encode()
                yield b"".join(map(_event, entries))
                seen = entries[-1].number
                # Others are to be answered between two batches.
                await asyncio.sleep(0)
                continue
            try:
                await asyncio.wait_for(changed.wait(), heartbeat_s)
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        unfollow()


def _event(entry: Entry) -> bytes:
    data = json.dumps(entry.to_json())
    return f"id: {entry.number}\nevent: exchange\ndata: {data}\n\n".encode()
