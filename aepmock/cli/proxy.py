"""`aepmock proxy`: runs a program whose calls to Adobe's hosts reach the mock, and sums up."""

from __future__ import annotations

import argparse
import os
import shlex
import ssl
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from aepmock.cli.arguments import add_fault, add_reading, add_seed, faults
from aepmock.errors import UsageError
from aepmock.faults.model import Fault
from aepmock.mocks.observed import ObservedProgram, run_program
from aepmock.net import PLATFORM
from aepmock.settings import readings_of
from aepmock.transports.proxy import Proxy, proxying

_TRUST_PASSWORD = "changeit"
"""Java's own habit: a trust store is no secret."""
_BUNDLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "PIP_CERT",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `aepmock proxy`."""
    parser.usage = "aepmock proxy [options] -- COMMAND ARG…"
    add_seed(parser)
    add_reading(parser)
    add_fault(parser)
    about = "write what its requests met and broke: FILE.json, .xml (JUnit), .html or .md"
    parser.add_argument("--report", action="append", default=[], metavar="FILE", help=about)
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="after --")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs a program behind the proxy; its exit status is ours."""
    words = arguments.words[arguments.words[:1] == ["--"] :]
    if not words:
        raise UsageError("no program to run: aepmock proxy -- COMMAND ARG…")
    return run_behind_proxy(
        words,
        seed=arguments.seed,
        readings=readings_of(arguments.reading),
        faults=faults(arguments.fault),
        reports=[Path(path) for path in arguments.report],
    )


class Proxied(ObservedProgram):
    """What is said of a program behind the proxy: its requests, and where else it wanted to go."""

    def __init__(
        self, *, seed: int, readings: Mapping[str, str], faults: Sequence[Fault] = ()
    ) -> None:
        super().__init__(seed=seed, readings=readings, origin=PLATFORM, faults=faults)
        self.refused: Counter[str] = Counter()

    def refuse(self, host: str) -> None:
        """Says once that a host was refused, and counts how often."""
        if not self.refused[host]:
            self.say(f"refused {host}: only Adobe's hosts are answered here")
        self.refused[host] += 1

    def say(self, text: str) -> None:
        """Tells the person at the terminal, beside what the program says."""
        print(f"aepmock proxy: {text}", file=sys.stderr, flush=True)

    def summary(self) -> str:
        """One line: "3 requests · refused example.com (2) · musts broken: request.api-key (1)"."""
        parts = [f"{self.requests} request{'' if self.requests == 1 else 's'} to Adobe's hosts"]
        if self.tally.not_imitated:
            parts.append(f"{self.tally.not_imitated} to things aepmock does not imitate")
        if self.refused:
            hosts = (f"{host} ({count})" for host, count in sorted(self.refused.items()))
            parts.append(f"refused {', '.join(hosts)}")
        clauses = self.contract.clauses
        musts = [c for c in sorted(self.tally.broken) if clauses[c].grade == "must"]
        if musts:
            counted = (f"{clause} ({self.tally.broken[clause]})" for clause in musts)
            parts.append(f"musts broken: {', '.join(counted)}")
        elif self.tally.met:
            parts.append("no must broken")
        elif self.requests:
            parts.append("nothing was judged")
        return " · ".join(parts)


def run_behind_proxy(
    command: Sequence[str],
    *,
    seed: int,
    readings: Mapping[str, str],
    reports: Sequence[Path],
    faults: Sequence[Fault] = (),
) -> int:
    """Runs a program behind the proxy; gives its exit status, 128 + n where signal n ended it.

    Raises UsageError for a program that can't be started.
    """
    from aepmock.reports import check_path, write_report

    for path in reports:
        check_path(path)
    watch = Proxied(seed=seed, readings=readings, faults=faults)
    with (
        tempfile.TemporaryDirectory(prefix="aepmock-proxy-") as folder,
        proxying(watch.handle, refused=watch.refuse, trouble=watch.say) as proxy,
    ):
        status = run_program(command, environment(proxy, Path(folder), os.environ))
    watch.say(watch.summary())
    report = watch.report(command, transport="proxy")
    for path in reports:
        write_report(report, path)
    return 128 - status if status < 0 else status


def environment(proxy: Proxy, folder: Path, before: Mapping[str, str]) -> dict[str, str]:
    """The variables of a program that is to use the proxy; the files they name are in `folder`."""
    authority, bundle, store = (
        folder / name for name in ("ca.pem", "ca-bundle.pem", "truststore.p12")
    )
    authority.write_bytes(proxy.ca_pem)
    bundle.write_bytes(proxy.ca_pem + _usual_authorities(before))
    store.write_bytes(_java_store(proxy.ca_pem))
    found = {k: v for k, v in before.items() if k.lower() not in ("all_proxy", "no_proxy")}
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        found[name] = found[name.lower()] = proxy.origin
    found["NO_PROXY"] = found["no_proxy"] = ""
    found |= dict.fromkeys(_BUNDLES, str(bundle))
    found |= {"NODE_EXTRA_CA_CERTS": str(authority), "DENO_CERT": str(authority)}
    # Node's own use of these variables, from 24 on, breaks axios ("Host in options.headers must
    # match"); the file serves every version by itself.
    found.pop("NODE_USE_ENV_PROXY", None)
    preload = files("aepmock.transports") / "proxy_preload.cjs"
    found["NODE_OPTIONS"] = _joined(before.get("NODE_OPTIONS"), f'--require "{preload}"')
    address = urlsplit(proxy.origin)
    java = {
        "https.proxyHost": address.hostname,
        "https.proxyPort": address.port,
        "http.proxyHost": address.hostname,
        "http.proxyPort": address.port,
        "javax.net.ssl.trustStore": store,
        "javax.net.ssl.trustStoreType": "PKCS12",
        "javax.net.ssl.trustStorePassword": _TRUST_PASSWORD,
    }
    words = " ".join(shlex.quote(f"-D{name}={value}") for name, value in java.items())
    found["JAVA_TOOL_OPTIONS"] = _joined(before.get("JAVA_TOOL_OPTIONS"), words)
    return found


def _joined(before: str | None, more: str) -> str:
    return f"{before} {more}" if before else more


def _usual_authorities(before: Mapping[str, str]) -> bytes:
    """What the program would trust without the proxy: its own setting, the system, certifi."""
    paths = [before.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, certifi.where()]
    found = [Path(path).read_bytes() for path in dict.fromkeys(paths) if path and _is_file(path)]
    return b"\n".join(found)


def _is_file(path: str) -> bool:
    return Path(path).is_file()


def _java_store(authority: bytes) -> bytes:
    """A trust store as Java reads it, of this authority alone: the proxy leads nowhere else."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    entry = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(authority), b"aepmock")
    secret = BestAvailableEncryption(_TRUST_PASSWORD.encode())
    return pkcs12.serialize_java_truststore([entry], secret)
