"""Clients with one fault each, and odd ones without any: what the judge itself is judged by."""

from __future__ import annotations

from tests.mutants import (
    answering,
    async_style,
    asynchronous,
    behaving,
    creating,
    erring,
    exploring,
    layered_errors,
    layered_retries,
    leaking,
    listing,
    living,
    misreading,
    mixing,
    odd_behaviour,
    odd_but_right,
    odd_company,
    odd_errors,
    odd_habits,
    odd_queries,
    odd_values,
    on_requests,
    other_transports,
    remembering,
    requesting,
    retrying,
    sdk_creating,
    sdk_params,
    sdk_reading,
    tokens,
    trusting,
    unasked,
    updating,
)
from tests.mutants.registry import CorrectClient, Mutant, found

MODULES = (
    requesting,
    creating,
    answering,
    listing,
    updating,
    exploring,
    erring,
    living,
    tokens,
    leaking,
    misreading,
    mixing,
    trusting,
    unasked,
    retrying,
    asynchronous,
    behaving,
    on_requests,
    odd_but_right,
    odd_company,
    odd_errors,
    odd_behaviour,
    odd_queries,
    odd_values,
    sdk_creating,
    sdk_params,
    sdk_reading,
    layered_retries,
    layered_errors,
    remembering,
    other_transports,
    async_style,
    odd_habits,
)
"""Where they stand: each module signs its own in when it is imported."""

MUTANTS, _ODD = found()
CORRECT_CLIENTS: tuple[CorrectClient, ...] = (
    *(
        CorrectClient(f"aepmock.clients.reference:{name}")
        for name in ("client", "bearer_client", "async_client")
    ),
    *(
        CorrectClient(f"tests.correct_clients.{name}:client")
        for name in ("httpx2_auth", "httpx_async", "requests_session", "retrying_pager")
    ),
    *(
        CorrectClient(f"tests.correct_clients.{name}:client", "server")
        for name in ("aiohttp_session", "urllib3_pool", "urllib_plain")
    ),
    *_ODD,
)

__all__ = ["CORRECT_CLIENTS", "MODULES", "MUTANTS", "CorrectClient", "Mutant"]
