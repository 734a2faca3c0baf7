"""What a caller may give a client: connections, filters, ids, patches; and what it may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from aepmock.client_api import NewConnection
from aepmock.contract import AuthSpec, Connector

AWKWARD = (
    " leading and trailing ",
    "two  blanks",
    "a&b=c+d,e;f",
    "quotes \" and ' and \\",
    "100 % <b>&amp;</b>",
    "naïve café",
    "cafe\u0301",
    "日本語",
    "\u202eright to left",
    "emoji 👩‍👩‍👧",
    "line\nbreak\ttab",
    "line\r\nbreak\rof other systems",
    "\u0000",
    "null",
    "x" * 300,
)
"""Texts that clients get wrong, always among those that are drawn."""


def texts(*, min_size: int = 1, max_size: int = 120) -> SearchStrategy[str]:
    """Any Unicode text without lone surrogates."""
    free = st.text(st.characters(exclude_categories=["Cs"]), min_size=min_size, max_size=max_size)
    return st.one_of(st.sampled_from(AWKWARD), free)


MARKED = "aepmockSecret"
"""What every generated secret holds, so that no word of a client or of the service is one."""

_BESIDE = "abyzAZ09-_.~+/=&%;:,#?@!$*()[]{}<>|^`'\"\\ ü日"
"""Characters beside the core of a secret; each means something in a URL, in JSON or in a shell."""


def secrets(beside: SearchStrategy[tuple[str, str]] | None = None) -> SearchStrategy[str]:
    """Values of a connector's credentials: a core that nobody hits upon, and what stands beside it.

    Hypothesis also draws what is written in the client's own source, which must not become a
    secret as it is: every "If-Match" in a finding would be masked. `beside` are pairs of what
    comes before the core and after it; without it any printable text with no blank at its ends.
    """
    core = st.integers(0, 16**12 - 1).map(lambda n: f"{MARKED}{n:012x}")
    text = st.text(st.sampled_from(_BESIDE), max_size=12)
    plain = st.tuples(text.map(str.lstrip), text.map(str.rstrip))
    pairs = plain if beside is None else beside
    return st.builds(lambda pair, core: core.join(pair), pairs, core)


def auth_params(spec: AuthSpec) -> SearchStrategy[Mapping[str, Any]]:
    """The params of an auth spec: required ones always, others now and then."""
    required = {p.name: _param(p.type) for p in spec.params if p.required is not False}
    optional = {p.name: _param(p.type) for p in spec.params if p.required is False}
    return st.fixed_dictionaries(required, optional=optional)


def _param(type_name: str) -> SearchStrategy[Any]:
    if type_name == "boolean":
        return st.booleans()
    if type_name in ("integer", "number"):
        return st.integers(0, 65_535)
    return secrets()


@st.composite
def new_connections(
    draw: st.DrawFn,
    connector: Connector,
    *,
    descriptions: bool = True,
    versions: bool = True,
    names: SearchStrategy[str] | None = None,
    params: Mapping[str, Any] | None = None,
) -> NewConnection:
    """Connections that the service accepts.

    `descriptions` and `versions` False leave those fields at None and at the newest version,
    for clients whose interface has no notion of them. `names` are those to draw from, also for
    descriptions, `params` auth params that are not to be made up.
    """
    free = texts() if names is None else names
    spec = draw(st.sampled_from(connector.auth)) if connector.auth else None
    version = st.sampled_from(connector.versions)
    return NewConnection(
        name=draw(free),
        description=draw(st.none() | free) if descriptions else None,
        connection_spec_id=connector.spec_id,
        connection_spec_version=draw(st.none() | version if versions else version),
        auth_spec_name=spec.name if spec else None,
        auth_params=params or draw(auth_params(spec)) if spec else {},
    )


AWKWARD_IDS = (
    "../x",
    "a/b",
    "a?b=c",
    "a#b",
    "a b",
    "%2F",
    "a%20b",
    "naïve",
    "a+b",
    "a;b",
    "/x",
)
"""Ids that clients write wrongly into a path, always among those that are drawn."""


def awkward_ids() -> SearchStrategy[str]:
    """Ids that are no UUIDs, with characters that mean something in a URL; never a dot segment."""
    alphabet = "ab1-/?#%&+ ;=:@.ü日\\"
    free = st.text(st.sampled_from(alphabet), min_size=1, max_size=12).filter(_is_whole)
    return st.sampled_from(AWKWARD_IDS) | free


def _is_whole(text: str) -> bool:
    """Blanks at the ends are a matter of taste, and dots alone can't be written in a path."""
    return text.strip() == text and set(text) - {"."} != set()


def filters(connector: Connector) -> SearchStrategy[tuple[str, ...]]:
    """One to three filters that the service understands, one of them for the connector's spec."""
    value = texts(max_size=20).filter(_is_filter_value)
    named = st.builds("{}=={}".format, st.sampled_from(["name", "description"]), value)
    quoted = st.builds('name=="{}"'.format, value.filter(lambda v: '"' not in v and "," not in v))
    fixed = st.sampled_from(
        [
            "state==enabled",
            "state==enabled,disabled",
            f"connectionSpec.id=={connector.spec_id}",
            "createdAt>=1597973312000",
            "updatedAt<4102444800000",
        ]
    )
    one = st.one_of(named, quoted, fixed)
    return st.lists(one, min_size=1, max_size=3, unique=True).map(tuple)


def _is_filter_value(text: str) -> bool:
    """Not NUL or a line break, which some servers refuse before anyone reads them.

    Nor a sign in front, which would belong to the operator.
    """
    return text.strip() == text and text.isprintable() and text[:1] not in ("", *"=<>!~")


def orders() -> SearchStrategy[str]:
    """Values of orderby."""
    return st.sampled_from(["name", "-name", "createdAt", "-createdAt", "-updatedAt"])


def owned_texts(prefix: str, *, max_size: int = 60) -> SearchStrategy[str]:
    """Texts behind a prefix, for what a live run creates: printable, and not long."""
    free = texts(max_size=max_size).filter(lambda t: t.isprintable() and len(t) <= max_size)
    return free.map(prefix.__add__)


def renames(names: SearchStrategy[str]) -> SearchStrategy[list[dict[str, Any]]]:
    """JSON Patch operations on name and description, with values that are drawn from `names`."""
    replace_name = names.map(lambda v: {"op": "replace", "path": "/name", "value": v})
    describe = names.map(lambda v: {"op": "add", "path": "/description", "value": v})
    return st.lists(st.one_of(replace_name, describe), min_size=1, max_size=3)


def patches(connector: Connector) -> SearchStrategy[list[dict[str, Any]]]:
    """JSON Patch operations that a connection with a description accepts.

    Source: UPDATE; /auth/params is replaced as a whole, for the connector's first auth spec.
    """
    names = texts(max_size=40)
    replace_name = names.map(lambda v: {"op": "replace", "path": "/name", "value": v})
    describe = names.map(lambda v: {"op": "add", "path": "/description", "value": v})
    operations: list[st.SearchStrategy[dict[str, Any]]] = [replace_name, describe]
    if connector.auth:
        params = auth_params(connector.auth[0])
        operations.append(
            params.map(lambda v: {"op": "replace", "path": "/auth/params", "value": v})
        )
    return st.lists(st.one_of(operations), min_size=1, max_size=3)


def explorations(connector: Connector) -> SearchStrategy[dict[str, Any]]:
    """Keyword arguments of explore_connection, for the connector's tables and beyond."""
    known = [t["path"] for t in connector.tables]
    paths = st.sampled_from(known) if known else st.nothing()
    odd = texts(max_size=20).filter(str.isprintable)
    root = st.just({"object_type": "root"})
    table = st.fixed_dictionaries(
        {"object_type": st.just("table"), "object": paths | odd},
        optional={"preview": st.just(True)},
    )
    rest = st.fixed_dictionaries(
        {
            "object_type": st.just("rest"),
            "object": st.just("json"),
            "file_type": st.just("json"),
            "preview": st.just(True),
            "source_params": st.dictionaries(texts(max_size=8), texts(max_size=8), max_size=3),
        }
    )
    return st.one_of(root, table, rest)


HEADER_BREAKERS = (
    "dev\r\nx-evil: 1",
    "dev\nx-evil: 1",
    "dev\rx",
    "dev\0x",
    "de\nv",
    "de\r\n v",
    "dev\r\n",
    "\ndev",
)
"""Sandbox names with a control character that would end or garble a header.

Without it some are the name of a sandbox that there is.
"""


def text_outside_ascii() -> SearchStrategy[str]:
    """Sandbox names that ASCII can't write, also without the blanks that a client may trim."""
    return st.sampled_from(["dév", "開発", "dev\u200b", "d\u00a0ev", "пример"])
