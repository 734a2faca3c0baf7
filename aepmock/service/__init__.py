"""The stateful Flow Service without any I/O: one Request in, one Response out."""

from __future__ import annotations

from aepmock.service.engine import FlowService
from aepmock.service.gateway import Credentials
from aepmock.service.ids import IdSource

__all__ = ["Credentials", "FlowService", "IdSource"]
