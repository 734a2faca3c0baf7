"""What a live run needs to know, where each setting came from, and what is not let through.

A flag beats the environment, the environment beats the file that only its owner can read, that
beats `[tool.aepmock.live]`. Secrets stand in the environment or in that file, nowhere else.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aepmock.contract import load_contract
from aepmock.errors import UsageError, unknown
from aepmock.net import PLATFORM, ims_token_url, is_adobe, is_loopback

PREFIX = "AEPMOCK_LIVE_"
BASE_URL = f"{PLATFORM}/data/foundation/flowservice"
IMS_TOKEN_URL = ims_token_url()
MAX_REQUESTS = 500
RATE = 5.0
_CONSOLE = "Adobe Developer Console"


@dataclass(frozen=True)
class Key:
    """One setting: `name` is "client_id"; `where` says where its value is found."""

    name: str
    where: str
    secret: bool = False

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


_PLAIN = (
    Key("base_url", f"{BASE_URL}, unless you were given another"),
    Key("ims_token_url", f"{IMS_TOKEN_URL}, unless your organization is elsewhere"),
    Key("ca_file", "the certificate file of a stand-in, such as `aepmock serve --tls` names"),
    Key("client_id", f"{_CONSOLE}, your project, OAuth Server-to-Server, Client ID"),
    Key("client_secret", f"{_CONSOLE}, your project, OAuth Server-to-Server", secret=True),
    Key("scopes", f"{_CONSOLE}, your project, OAuth Server-to-Server, Scopes"),
    Key("access_token", f"{_CONSOLE}, your project, Generate access token", secret=True),
    Key("org_id", f"{_CONSOLE}, your project, Organization ID, …@AdobeOrg"),
    Key("sandbox", "Experience Platform, Sandboxes, the name of a development sandbox"),
    Key("max_requests", "how many requests a run may send"),
    Key("rate", "how many requests a second"),
    Key("file", "the path of a file of such lines that only you can read"),
)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


@cache
def known_keys() -> Mapping[str, Key]:
    """Every setting by name, those of the connectors' credentials among them."""
    keys = {key.name: key for key in _PLAIN}
    for connector in load_contract().connectors.values():
        for spec in connector.auth:
            for param in spec.params:
                name = f"{_snake(connector.key)}_{_snake(param.name)}"
                where = f"{connector.name}, its own {param.name}"
                keys[name] = Key(name, where, secret=True)
    return keys


@dataclass(frozen=True)
class LiveSettings:
    """Everything a live run was told. `credentials` are auth params by connector key.

    `origins` says of each setting where it came from: "flag", "environment", the file's path,
    "pyproject" or "default".
    """

    base_url: str = BASE_URL
    ims_token_url: str = IMS_TOKEN_URL
    ca_file: str | None = None
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scopes: str = ""
    access_token: str = field(default="", repr=False)
    org_id: str = ""
    sandbox: str = ""
    credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    allow_sandbox: str | None = None
    send_invalid: bool = False
    record: str = ""
    fail_on_drift: bool = False
    max_requests: int = MAX_REQUESTS
    rate: float = RATE
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that no file may hold."""
        own = (self.client_secret, self.access_token)
        foreign = (v for params in self.credentials.values() for v in params.values())
        return tuple(value for value in (*own, *foreign) if value)

    def to_json(self) -> dict[str, Any]:
        """Plain data, secrets included: only for the way from one process of a run to another."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> LiveSettings:
        return LiveSettings(**data)


def resolve_live(
    flags: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    table: Mapping[str, Any] | None = None,
    folder: Path,
) -> LiveSettings:
    """What holds; `table` is `[tool.aepmock.live]`, `folder` where relative files are.

    Raises UsageError for unknown keys, secrets in the wrong place, a file that others can read,
    and hosts that nobody allowed. What is missing is told by `missing`.
    """
    variables = {
        name: value
        for name, value in (os.environ if environment is None else environment).items()
        if name.startswith(PREFIX)
    }
    values: dict[str, tuple[Any, str]] = {}
    _take_table(values, table or {})
    from_environment = _named(variables, "the environment")
    path = flags.get("live-file") or from_environment.get("file") or values.get("file", ("",))[0]
    if path:
        for name, value in read_private(folder / Path(path).expanduser()).items():
            values[name] = (value, str(path))
    values |= {name: (value, "environment") for name, value in from_environment.items()}
    for flag, name in (
        ("live-sandbox", "sandbox"),
        ("live-max-requests", "max_requests"),
        ("live-rate", "rate"),
    ):
        if flags.get(flag) is not None:
            values[name] = (flags[flag], "flag")
    made = _made(values, folder)
    made = replace(
        made,
        allow_sandbox=flags.get("live-allow-sandbox"),
        send_invalid=bool(flags.get("live-send-invalid")),
        record=str(folder / flags["live-record"]) if flags.get("live-record") else "",
        fail_on_drift=bool(flags.get("fail-on-drift")),
    )
    for url in (made.base_url, made.ims_token_url):
        check_host(url, tuple(flags.get("live-host") or ()))
    return made


def missing(settings: LiveSettings) -> list[Key]:
    """The settings without which nothing can be sent, in the order to look for them."""
    wanted = ["client_id", "org_id", "sandbox"]
    if not settings.access_token:
        wanted += ["client_secret", "scopes"]
    return [known_keys()[name] for name in wanted if not getattr(settings, name)]


def require(settings: LiveSettings) -> None:
    """Raises UsageError that names everything missing, and where it is found."""
    lacking = missing(settings)
    if lacking:
        lines = [f"  {key.variable}: {key.where}" for key in lacking]
        raise UsageError(
            "a live run needs settings that are missing:\n"
            + "\n".join(lines)
            + "\n`aepmock live doctor` checks all of them, without creating anything"
        )


def missing_credentials(settings: LiveSettings, connector_key: str) -> list[str]:
    """Variables of a connector's required auth params that are not set.

    Raises UsageError for an unknown connector.
    """
    if connector_key not in load_contract().connectors:
        raise unknown("connector", connector_key, load_contract().connectors)
    connector = load_contract().connectors[connector_key]
    given = settings.credentials.get(connector_key, {})
    spec = connector.auth[0] if connector.auth else None
    return [
        f"{PREFIX}{_snake(connector_key).upper()}_{_snake(param.name).upper()}"
        for param in (spec.params if spec else ())
        if param.required is not False and param.name not in given
    ]


def check_host(url: str, allowed: Sequence[str]) -> None:
    """Raises UsageError for a URL that is none, and for a host that a run may not reach."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.username:
        raise UsageError(f"{url!r} is no URL to reach a service by: https://HOST/PATH")
    loopback = is_loopback(host)
    if not (loopback or is_adobe(host) or host in allowed):
        raise UsageError(
            f"{host} is neither Adobe's nor on this machine: credentials would go there. "
            f"If you mean it, add --live-host {host}"
        )
    if parts.scheme == "http" and not loopback:
        raise UsageError(f"{url}: credentials go over https only, except on this machine")


def read_private(path: Path) -> dict[str, str]:
    """The settings in a file of AEPMOCK_LIVE_NAME=value lines; `#` begins a comment line.

    Raises UsageError where others than the owner may read or write it.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file {path} can't be read: {error}") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise UsageError(f"the file {path} holds secrets and others can reach it: chmod 600 {path}")
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip().removeprefix("export ").strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not equals:
            raise UsageError(f"{path}, line {number}: a line is AEPMOCK_LIVE_NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    return _named(found, str(path))


def _named(variables: Mapping[str, str], place: str) -> dict[str, str]:
    keys = {key.variable: key.name for key in known_keys().values()}
    for name in variables:
        if name not in keys:
            raise UsageError(f"{place}: {_unknown(name, keys)}")
    return {keys[name]: value for name, value in variables.items() if value}


def _unknown(name: str, keys: Mapping[str, str]) -> str:
    """Without the list of all names: there are more than a reader wants."""
    text = str(unknown("live setting", name, keys))
    return text.partition(" Allowed:")[0].rstrip(".") + "; `aepmock live doctor` lists them"


def _take_table(values: dict[str, tuple[Any, str]], table: Mapping[str, Any]) -> None:
    keys = known_keys()
    for name, value in table.items():
        key = keys.get(name.replace("-", "_"))
        if key is None:
            raise UsageError(f"[tool.aepmock.live]: {_unknown(name, {k: k for k in keys})}")
        if key.secret:
            raise UsageError(
                f"[tool.aepmock.live] {name}: a secret does not belong in pyproject.toml. "
                f"Set {key.variable}, or write it into a file of mode 600 and name that as file"
            )
        values[key.name] = (value, "pyproject")


def _made(values: Mapping[str, tuple[Any, str]], folder: Path) -> LiveSettings:
    made = LiveSettings(origins={name: origin for name, (_, origin) in values.items()})
    credentials: dict[str, dict[str, str]] = {}
    plain: dict[str, Any] = {}
    params = {
        f"{_snake(c.key)}_{_snake(p.name)}": (c.key, p.name)
        for c in load_contract().connectors.values()
        for spec in c.auth
        for p in spec.params
    }
    for name, (value, origin) in values.items():
        if name in params:
            connector, param = params[name]
            credentials.setdefault(connector, {})[param] = str(value)
        elif name in ("max_requests", "rate"):
            plain[name] = _number(name, value, origin)
        elif name == "ca_file":
            path = folder / Path(str(value)).expanduser()
            if not path.is_file():
                raise UsageError(f"{PREFIX}CA_FILE: there is no file {path}")
            plain[name] = str(path)
        elif name != "file":
            text = str(value).strip()
            plain[name] = text.rstrip("/") if name.endswith("url") else text
    return replace(made, credentials=credentials, **plain)


def _number(name: str, value: Any, origin: str) -> Any:
    try:
        number = int(value) if name == "max_requests" else float(value)
    except (TypeError, ValueError):
        raise UsageError(f"live {name} ({origin}): {value!r} is no number") from None
    if not 0 < number <= 100_000:
        raise UsageError(f"live {name} ({origin}): {value} is not between 1 and 100000")
    return number
