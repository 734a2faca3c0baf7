"""A mock and contract suite for clients of Adobe Experience Platform's Flow Service API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# The pytest plugin imports this package in every pytest run of everyone who has it installed,
# so nothing heavy may be imported before it is asked for.
_HOMES = {
    "AepmockError": "aepmock.errors",
    "ClientError": "aepmock.errors",
    "ClientSettings": "aepmock.client_api",
    "ClientUnderTest": "aepmock.client_api",
    "BlockedRequestError": "aepmock.errors",
    "Exchange": "aepmock.messages",
    "Fault": "aepmock.faults.model",
    "FlowService": "aepmock.service",
    "Handler": "aepmock.messages",
    "Headers": "aepmock.messages",
    "Mock": "aepmock.mocks.mock",
    "NewConnection": "aepmock.client_api",
    "Request": "aepmock.messages",
    "Response": "aepmock.messages",
    "Step": "aepmock.faults.model",
    "UsageError": "aepmock.errors",
    "load_contract": "aepmock.contract",
    "mock": "aepmock.mocks.mock",
}

if TYPE_CHECKING:
    from aepmock.client_api import ClientSettings as ClientSettings
    from aepmock.client_api import ClientUnderTest as ClientUnderTest
    from aepmock.client_api import NewConnection as NewConnection
    from aepmock.contract import load_contract as load_contract
    from aepmock.errors import AepmockError as AepmockError
    from aepmock.errors import BlockedRequestError as BlockedRequestError
    from aepmock.errors import ClientError as ClientError
    from aepmock.errors import UsageError as UsageError
    from aepmock.faults.model import Fault as Fault
    from aepmock.faults.model import Step as Step
    from aepmock.messages import Exchange as Exchange
    from aepmock.messages import Handler as Handler
    from aepmock.messages import Headers as Headers
    from aepmock.messages import Request as Request
    from aepmock.messages import Response as Response
    from aepmock.mocks.mock import Mock as Mock
    from aepmock.mocks.mock import mock as mock
    from aepmock.service import FlowService as FlowService

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aepmock' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
