"""Family 8: which servers a client trusts. A request that reaches an untrusted server convicts."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from aepmock.judge.checks.registry import Verdicts, transcript_check
from aepmock.judge.findings import Violation
from aepmock.judge.transcript import Call, Transcript


def _toward(transcript: Transcript, *, ca: bool, named: bool) -> Iterator[Call]:
    """Calls over TLS, with or without its CA, to a host that the certificate names or does not."""
    for call in transcript.calls:
        host = urlsplit(call.settings.base_url).hostname
        if (call.settings.ca_file is not None) == ca and (host in transcript.certified) == named:
            yield call


def _refused(call: Call, summary: str) -> Violation | None:
    if not call.exchanges:
        return None
    return Violation(
        summary,
        "an error before anything is sent",
        f"{len(call.exchanges)} requests arrived in {call.operation}",
        call.exchanges[0],
    )


@transcript_check("tls.unknown-ca")
def unknown_ca(transcript: Transcript) -> Verdicts:
    for call in _toward(transcript, ca=False, named=True):
        yield _refused(call, "a request went to a server whose certificate nobody vouches for")


@transcript_check("tls.wrong-host")
def wrong_host(transcript: Transcript) -> Verdicts:
    """Only where the client, given the same CA, does talk to the host that is named."""
    if any(call.exchanges for call in _toward(transcript, ca=True, named=True)):
        for call in _toward(transcript, ca=True, named=False):
            yield _refused(call, "a request went to a server whose certificate is another host's")
