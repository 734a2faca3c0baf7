"""`aepmock proxy` from outside: programs with nothing but the environment that it sets."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transports.transport_scene import stranger

CONNECTIONS = "https://platform.adobe.io/data/foundation/flowservice/connections"
TOKEN = "a-token-that-nobody-may-see"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "x-api-key": "key",
    "x-gw-ims-org-id": "org@AdobeOrg",
    "x-sandbox-name": "dev",
}
EMPTY: dict[str, object] = {"items": [], "_links": {}}
CURL = ["curl", "-s", *(word for n, v in HEADERS.items() for word in ("-H", f"{n}: {v}"))]


def proxied(*words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aepmock", "proxy", *options, "--", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def python(code: str) -> tuple[str, ...]:
    start = f"url, headers = {CONNECTIONS!r}, {HEADERS!r}\n"
    return sys.executable, "-c", start + code


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def test_curl_is_answered_over_tls_that_it_verifies() -> None:
    needs("curl")
    done = proxied(*CURL, CONNECTIONS)
    assert json.loads(done.stdout) == EMPTY
    assert done.stderr == "aepmock proxy: 1 request to Adobe's hosts · no must broken\n"
    assert done.returncode == 0


PYTHON = {
    "urllib": """
import urllib.request
request = urllib.request.Request(url, headers=headers)
print(urllib.request.urlopen(request).read().decode())
""",
    "requests": "import requests; print(requests.get(url, headers=headers).text)",
    "httpx": "import httpx; print(httpx.get(url, headers=headers).text)",
    "httpx2": "import httpx2; print(httpx2.get(url, headers=headers).text)",
    "aiohttp": """
import aiohttp, asyncio
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        async with session.get(url, headers=headers) as answer:
            print(await answer.text())
asyncio.run(main())
""",
}


@pytest.mark.parametrize("library", PYTHON)
def test_a_python_program_is_answered(library: str) -> None:
    done = proxied(*python(PYTHON[library]))
    assert done.stdout, done.stderr
    assert json.loads(done.stdout) == EMPTY
    assert done.stderr == "aepmock proxy: 1 request to Adobe's hosts · no must broken\n"


NODE = """
import https, { get } from 'node:https'
import tls from 'node:tls'
const [url, headers] = [%r, %s]
const answer = await fetch(url, { headers })
console.log(answer.status, JSON.stringify(await answer.json()))
for (const one of [get, https.get]) {
  const status = await new Promise((resolve) => one(url, { headers }, (answer) => {
    answer.resume().on('end', () => resolve(answer.statusCode))
  }))
  console.log(status)
}
const socket = tls.connect(443, 'ims-na1.adobelogin.com', { ALPNProtocols: ['h2', 'http/1.1'] })
await new Promise((resolve) => socket.on('secureConnect', resolve))
console.log(socket.authorized, socket.alpnProtocol)
socket.destroy()
await fetch('https://example.com/').catch((error) => console.log('refused'))
"""


def test_a_node_program_is_answered(tmp_path: Path) -> None:
    needs("node")
    program = tmp_path / "program.mjs"
    program.write_text(NODE % (CONNECTIONS, json.dumps(HEADERS)))
    done = proxied("node", str(program))
    assert done.stdout.splitlines() == [
        f"200 {json.dumps(EMPTY, separators=(',', ':'))}",
        "200",
        "200",
        "true http/1.1",
        "refused",
    ], done.stderr
    assert "refused example.com: only Adobe's hosts are answered here" in done.stderr
    assert "3 requests to Adobe's hosts · refused example.com (1) · no must broken" in done.stderr


JAVA = """
import java.net.*;
import java.net.http.*;
public class Program {
    public static void main(String[] words) throws Exception {
        var request = HttpRequest.newBuilder(URI.create("%s")).header("x-api-key", "k").build();
        var body = HttpResponse.BodyHandlers.ofString();
        System.out.println(HttpClient.newHttpClient().send(request, body).body());
        var other = (HttpURLConnection) new URL("%s").openConnection();
        System.out.println(other.getResponseCode());
    }
}
"""


def test_a_java_program_is_answered(tmp_path: Path) -> None:
    needs("javac")
    program = tmp_path / "Program.java"
    program.write_text(JAVA % (CONNECTIONS, CONNECTIONS))
    done = proxied("java", str(program))
    oauth = '{"error_code":"403010","message":"Oauth token is missing."}'
    assert done.stdout.splitlines() == [oauth, "403"], done.stderr


def test_another_host_is_refused_and_named_and_the_programs_status_is_ours() -> None:
    needs("curl")
    done = proxied("curl", "-s", "https://example.com/", "-o", os.devnull)
    assert done.returncode == 56  # curl's own, for a proxy that refuses
    assert done.stderr.splitlines() == [
        "aepmock proxy: refused example.com: only Adobe's hosts are answered here",
        "aepmock proxy: 0 requests to Adobe's hosts · refused example.com (1)",
    ]


def test_loopback_goes_through_untouched() -> None:
    code = "import sys, httpx; print(httpx.get(sys.argv[1]).text)"
    with stranger() as url:
        done = proxied(*python(code), url)
        assert (done.stdout, done.returncode) == ("stranger\n", 0), done.stderr
        needs("curl")
        tunnelled = proxied("curl", "-s", "--proxytunnel", url)
        assert tunnelled.stdout == "stranger"


def test_broken_musts_are_summed_up_and_reported_without_secrets(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code = (
        "import httpx; del headers['x-api-key']\n"
        "for _ in range(2): httpx.get(url, headers=headers)\n"
        "raise SystemExit(7)"
    )
    done = proxied(*python(code), options=("--seed", "3", "--report", str(report)))
    assert done.returncode == 7
    assert done.stderr == (
        "aepmock proxy: 2 requests to Adobe's hosts · musts broken: request.api-key (2)\n"
    )
    text = report.read_text()
    assert TOKEN not in text
    found = json.loads(text)
    assert (found["mode"], found["transport"], found["seed"]) == ("mock", "proxy", 3)
    verdicts = {clause["id"]: clause["verdict"] for clause in found["clauses"]}
    assert verdicts["request.api-key"] == "broken"
    assert verdicts["request.sandbox"] == "met"
    assert verdicts["connections.update.if-match"] == "not-exercised"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_something_may_go_wrong() -> None:
    curl = [*CURL, "-w", "%{http_code}\\n", "-o", "-"]
    command = f"{shlex.join([*curl, CONNECTIONS])}; {shlex.join([*curl, CONNECTIONS])}"
    done = proxied("sh", "-c", command, options=("--fault", "connections.list: bare 502"))
    assert done.stdout.split()[0] == "502"
    assert done.stdout.rstrip().endswith("200")
    assert "no must broken" in done.stderr


def test_a_reading_may_be_chosen() -> None:
    done = proxied("true", options=("--reading", "no-such=x"))
    assert done.returncode == 2
    assert "no-such" in done.stderr


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_passed_on(sent: signal.Signals) -> None:
    code = (
        "import signal, sys, threading\n"
        "got = threading.Event()\n"
        f"signal.signal({int(sent)}, lambda *_: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "aepmock", "proxy", "--", sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(sent)
        assert child.wait(20) == 9


def test_a_program_that_a_signal_ends_gives_128_and_the_signal() -> None:
    assert proxied("sh", "-c", "kill -9 $$").returncode == 137


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "aepmock: no program to run: aepmock proxy -- COMMAND ARG…\n"),
        (("no-such-program",), "aepmock: can't run 'no-such-program': No such file or directory\n"),
        (("/",), "aepmock: can't run '/': Permission denied\n"),
    ],
)
def test_a_program_that_is_none_is_misuse(words: tuple[str, ...], said: str) -> None:
    done = proxied(*words)
    assert (done.returncode, done.stderr) == (2, said)


def test_a_report_that_can_not_be_written_is_misuse_before_anything_runs() -> None:
    done = proxied("echo", "ran", options=("--report", "x.pdf"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "ends in '.pdf'" in done.stderr


def test_the_environment_keeps_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--no-deprecation")
    monkeypatch.setenv("NO_PROXY", "platform.adobe.io")
    monkeypatch.setenv("ALL_PROXY", "http://elsewhere.example:1")
    done = proxied(*python("import os, json; print(json.dumps(dict(os.environ)))"))
    found = json.loads(done.stdout)
    assert found["NODE_OPTIONS"].startswith("--no-deprecation --require ")
    assert (found["NO_PROXY"], found["no_proxy"]) == ("", "")
    assert "ALL_PROXY" not in found
    assert found["HTTPS_PROXY"] == found["https_proxy"] == found["HTTP_PROXY"]
    assert found["SSL_CERT_FILE"] == found["REQUESTS_CA_BUNDLE"] == found["CURL_CA_BUNDLE"]


def test_the_bundle_verifies_other_servers_too() -> None:
    code = (
        "import ssl, certifi\n"
        "held = lambda path: {c['serialNumber'] for c in"
        " ssl.create_default_context(cafile=path).get_ca_certs()}\n"
        "import os; ours, usual = held(os.environ['SSL_CERT_FILE']), held(certifi.where())\n"
        "print(usual <= ours, len(ours - usual) >= 1)"
    )
    assert proxied(*python(code)).stdout == "True True\n"


def test_nothing_is_left_behind() -> None:
    done = proxied(*python("import os; print(os.environ['SSL_CERT_FILE'])"))
    assert not Path(done.stdout.strip()).parent.exists()
