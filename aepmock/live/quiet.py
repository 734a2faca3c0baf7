"""Keeps a live run's secrets out of what pytest shows of a test: logs, output, warnings, errors.

What the client itself writes past pytest's capturing (`pytest -s`) is not pytest's to show.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from aepmock.live.shown import shown
from aepmock.redaction import Redactor

_HANDLERS = ("caplog_handler", "report_handler", "log_file_handler", "log_cli_handler")


class Quiet:
    """A plugin for one run; `clean` gives a text as it may be shown."""

    def __init__(self, config: pytest.Config, clean: Callable[[str], str]) -> None:
        self._clean = clean
        plugin = config.pluginmanager.get_plugin("logging-plugin")
        for name in _HANDLERS:
            handler = getattr(plugin, name, None)
            if isinstance(handler, logging.Handler):
                handler.setFormatter(_Formatter(handler.formatter, clean))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Any:
        report = yield
        clean = self._clean
        report.sections = [(name, clean(text)) for name, text in report.sections]
        report.user_properties = [
            (name, clean(value) if isinstance(value, str) else value)
            for name, value in report.user_properties
        ]
        if isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, clean(reason))
        elif report.longrepr is not None:
            text = str(report.longrepr)
            if clean(text) != text:
                report.longrepr = clean(text)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        text = str(warning_message.message)
        if self._clean(text) != text:
            warning_message.message = Warning(self._clean(text))


class _Formatter(logging.Formatter):
    """Formats as another one does, and cleans what came of it."""

    def __init__(self, inner: logging.Formatter | None, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        return self._clean(self._inner.format(record))


def keep_quiet(config: pytest.Config, redactor: Redactor) -> None:
    """From now on pytest shows nothing that is secret to this redactor."""
    plugin = Quiet(config, lambda text: shown(text, redactor, lines=True))
    config.pluginmanager.register(plugin, "aepmock-live-quiet")
