"""A stranger's server on loopback, and a handler that says who was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aepmock.messages import Headers, Request, Response

ADOBE = "https://platform.adobe.io/data/foundation/flowservice/connections"


def saying(text: str) -> Callable[[Request], Response]:
    """A handler whose every answer is this text."""
    return lambda _: Response(200, Headers([("Content-Type", "text/plain")]), text.encode())


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"stranger"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stranger() -> Iterator[str]:
    """The URL of a server that is none of Adobe's and answers "stranger"."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
