"""Takes secrets out of what is shown or kept: used by judge, server, live runs and reports."""

from __future__ import annotations

from aepmock.redaction.redactor import Redactor
from aepmock.redaction.secret_places import MARK

__all__ = ["MARK", "Redactor"]
