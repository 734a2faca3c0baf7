"""Lists: parameters, pages, continuation tokens, links, counts.

A token carries what is needed to go on, so that the service remembers nothing between pages.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from aepmock.contract import Operation
from aepmock.messages import Request
from aepmock.service.filters import Filter, ordered, parse_filters, parse_order
from aepmock.service.refusals import BeyondLimitError, Refused

Item = TypeVar("Item")

CAP = 100
MOST_ON_A_PAGE = 10_000
"""Of a list whose `limit` asks for more; the rest is behind the link to the next page."""
LONGEST_QUERY = 65_536
"""Characters of a search's queryString: as many as a request line may have."""
LETTERS = "T"
RESERVED = "~+/=&"
"""How a token begins in each alphabet."""
_FAR = 10**15
"""Beyond every place in a list, and every limit."""


@dataclass(frozen=True)
class ListQuery:
    """What a list or search asks for; `limit` None is the service's own page size."""

    property: tuple[str, ...] = ()
    limit: int | None = None
    orderby: str | None = None
    count: bool = False
    start: int = 0


def check_parameters(request: Request, operation: Operation) -> dict[str, str]:
    """Query parameters by name (lower case where case does not matter), the first of each.

    Raises Refused for one that is not documented. Source: ERR 1451-400.
    """
    found: dict[str, str] = {}
    unknown: list[str] = []
    for name, value in request.query:
        key = name.lower() if operation.any_case else name
        if key in operation.query_names:
            found.setdefault(key, value)
        else:
            unknown.append(name)
    if unknown:
        raise Refused("query.unknown", params=", ".join(dict.fromkeys(unknown)))
    return found


def list_query(
    request: Request, given: Mapping[str, str], readings: Mapping[str, str]
) -> ListQuery:
    """The list query of GET /connections. Raises Refused."""
    count = _boolean(given.get("count"), "count")
    limit = _limit(given.get("limit"))
    if count and limit is not None:
        raise Refused("list.limit-with-count")
    query = ListQuery(request.parameters("property"), limit, given.get("orderby"), count)
    return continued(query, given.get("continuationToken"), readings)


def search_query(
    body: Mapping[str, Any], token: str | None, readings: Mapping[str, str]
) -> ListQuery:
    """The list query of POST /connections/search.

    Its queryString is read as the query of a list call; the documentation gives no grammar.
    """
    text = body.get("queryString", "")
    if len(text) > LONGEST_QUERY:
        raise BeyondLimitError(413, f"queryString takes at most {LONGEST_QUERY} characters")
    inner = Request("GET", "", "/?" + text.removeprefix("?"))
    strange = [name for name, _ in inner.query if name != "property"]
    if strange:
        raise Refused("query.unknown", params=", ".join(dict.fromkeys(strange)))
    count = body.get("count", False)
    limit = body.get("limit")
    if count and limit is not None:
        raise Refused("list.limit-with-count")
    # A schema's integer may be written 5.0.
    limit = None if limit is None else int(limit)
    query = ListQuery(inner.parameters("property"), limit, body.get("orderby"), count)
    return continued(query, token, readings)


def continued(query: ListQuery, token: str | None, readings: Mapping[str, str]) -> ListQuery:
    """The query, set to where `token` says. Raises Refused for a token that was not given out."""
    if token is None:
        return query
    start, carried = _read_token(token)
    if readings["connections.next-href"] == "whole-query":
        return ListQuery(query.property, query.limit, query.orderby, query.count, start)
    return ListQuery(
        tuple(carried["property"]), carried["limit"], carried["orderby"], query.count, start
    )


def answer(
    items: Sequence[Item],
    query: ListQuery,
    readings: Mapping[str, str],
    *,
    path: str,
    cross_sandbox: bool,
    reader: Callable[[str], Callable[[Item], Any]],
    present: Callable[[Sequence[Item]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """The document that answers a list; `items` come in the service's own order.

    `reader(path)` is what reads the value at a path from an item, and `present` makes documents
    of the few items that are on the page.
    """
    filters: tuple[Filter, ...] = parse_filters(query.property)
    if query.orderby and cross_sandbox:
        raise Refused("list.orderby-cross-sandbox")
    order = parse_order(query.orderby)
    chosen = items
    for one in filters:
        read, accepts = reader(one.path), one.accepts
        chosen = [item for item in chosen if accepts(read(item))]
    if query.count:
        return {"count": len(chosen)}
    size = query.limit if query.limit is not None else int(readings["connections.page-size"])
    # A search has a bound of its own, 1000, which its schema checks.
    if path == "/connections" and readings["connections.limit-above-100"] == "capped":
        size = min(size, CAP)
    end = query.start + min(size, MOST_ON_A_PAGE)
    page = ordered(chosen, order, reader)[query.start : end]
    document: dict[str, Any] = {"items": present(page)}
    if end < len(chosen):
        document["_links"] = {"next": {"href": _href(path, query, end, readings)}}
    elif readings["connections.last-page-links"] == "empty":
        document["_links"] = {}
    return document


def _href(path: str, query: ListQuery, start: int, readings: Mapping[str, str]) -> str:
    token = _make_token(start, query, readings["connections.token-alphabet"])
    encoded = quote(token, safe="")
    if readings["connections.next-href"] == "token-only" or path != "/connections":
        return f"{path}?continuationToken={encoded}"
    pairs = [("property", p) for p in query.property]
    if query.limit is not None:
        pairs.append(("limit", str(query.limit)))
    if query.orderby:
        pairs.append(("orderby", query.orderby))
    rest = "&" + urlencode(pairs, quote_via=quote) if pairs else ""
    return f"{path}?continuationToken={encoded}{rest}"


def _make_token(start: int, query: ListQuery, alphabet: str) -> str:
    carried = {"property": query.property, "limit": query.limit, "orderby": query.orderby}
    data = json.dumps([start, carried], separators=(",", ":")).encode()
    return _written(zlib.crc32(data).to_bytes(4, "big") + data, reserved=alphabet == "reserved")


def _written(data: bytes, *, reserved: bool) -> str:
    if reserved:
        return RESERVED + base64.b64encode(data).decode()
    return LETTERS + base64.b32encode(data).decode().rstrip("=").lower()


def _read_token(token: str) -> tuple[int, Mapping[str, Any]]:
    """What a token holds. Raises Refused for one that was not given out letter by letter so."""
    reserved = token.startswith(RESERVED)
    try:
        if reserved:
            data = base64.b64decode(token[len(RESERVED) :], validate=True)
        else:
            text = token[len(LETTERS) :].upper()
            data = base64.b32decode(text + "=" * (-len(text) % 8))
        if zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
            raise ValueError("checksum")
        if _written(data, reserved=reserved) != token:
            raise ValueError("another spelling")
        start, carried = json.loads(data[4:])
        if not _is_ours(start, carried):
            raise ValueError("not one that was given out")
    except (ValueError, TypeError, RecursionError):
        raise Refused("query.token", value=token, field="continuationToken") from None
    return start, carried


def _is_ours(start: Any, carried: Any) -> bool:
    """Whether a token's content has the form of those given out: its checksum is no secret."""
    if type(start) is not int or not 0 <= start < _FAR or not isinstance(carried, dict):
        return False
    if set(carried) != {"property", "limit", "orderby"}:
        return False
    texts, limit, orderby = carried["property"], carried["limit"], carried["orderby"]
    return (
        isinstance(texts, list)
        and all(isinstance(text, str) for text in texts)
        and (limit is None or (type(limit) is int and 0 < limit < _FAR))
        and (orderby is None or isinstance(orderby, str))
    )


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise Refused("query.value", value=text, field="limit")
    return int(text)


def _boolean(text: str | None, name: str) -> bool:
    """A boolean in any case: a published client sends Python's True and False."""
    if text is None or text.lower() == "false":
        return False
    if text.lower() == "true":
        return True
    raise Refused("query.value", value=text, field=name)
