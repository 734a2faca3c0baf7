"""The stateful Flow Service without any I/O: one Request in, one Response out."""

from __future__ import annotations

from aepmock.service.engine import FlowService
from aepmock.service.gateway import Credentials
from aepmock.service.ports import Clock, IdSource

__all__ = ["Clock", "Credentials", "FlowService", "IdSource"]
