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
    NotImitated,
    Operation,
    Reading,
    ReadingOption,
    Refusal,
    Source,
    State,
)
from aepmock.contract.problems import error_response, json_response
from aepmock.contract.scope import (
    NOT_IMITATED,
    is_beside,
    is_not_imitated,
    not_imitated,
    other_connector,
)

__all__ = [
    "NOT_IMITATED",
    "AuthParam",
    "AuthSpec",
    "Clause",
    "Connector",
    "Contract",
    "Contradiction",
    "ErrorEntry",
    "NotImitated",
    "Operation",
    "Reading",
    "ReadingOption",
    "Refusal",
    "Source",
    "State",
    "error_response",
    "is_beside",
    "is_not_imitated",
    "json_response",
    "load_contract",
    "not_imitated",
    "other_connector",
]
