"""What goes wrong on purpose: the model of a fault, its grammar, and what it does."""

from __future__ import annotations

from aepmock.faults.injector import FaultInjector

__all__ = ["FaultInjector"]
