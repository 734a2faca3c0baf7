"""What the documentation says about Flow Service, as data: every entry with its source."""

from __future__ import annotations

from aepmock.contract.loading import load_contract
from aepmock.contract.model import (
    AuthParam,
    AuthSpec,
    Clause,
    Connector,
    Contract,
    Contradiction,
    ErrorEntry,
    Operation,
    Reading,
    ReadingOption,
    Refusal,
    Source,
    State,
)
from aepmock.contract.problems import error_response, json_response

__all__ = [
    "AuthParam",
    "AuthSpec",
    "Clause",
    "Connector",
    "Contract",
    "Contradiction",
    "ErrorEntry",
    "Operation",
    "Reading",
    "ReadingOption",
    "Refusal",
    "Source",
    "State",
    "error_response",
    "json_response",
    "load_contract",
]
