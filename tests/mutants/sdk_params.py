"""Clients that take an auth param for more than a text; and a correct one that quotes filters."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from string import Template
from typing import Any
from urllib.parse import unquote

from tests.mutants.registry import breaks, correct
from tests.mutants.sdk_base import Pairs, SdkClient
from tests.mutants.sdk_creating import Rewriting


class RewritingParams(Rewriting):
    """A hook for each auth param."""

    def rewritten(self, body: dict[str, Any]) -> dict[str, Any]:
        if "auth" in body:
            params = {k: self.param(v) for k, v in body["auth"]["params"].items()}
            body["auth"] = {**body["auth"], "params": params}
        return body

    def param(self, value: Any) -> Any:
        return value


@breaks("connections.create.auth-params")
class fills_templates_from_the_environment(RewritingParams):
    """The shell's `${HOME}`: a secret that holds a dollar sign is another one."""

    def param(self, value: Any) -> Any:
        return os.path.expandvars(value) if isinstance(value, str) else value


@breaks("connections.create.auth-params")
class halves_dollar_signs(RewritingParams):
    def param(self, value: Any) -> Any:
        return Template(value).safe_substitute({}) if isinstance(value, str) else value


@breaks("connections.create.auth-params")
class reads_params_as_json_where_it_can(RewritingParams):
    def param(self, value: Any) -> Any:
        try:
            return json.loads(value)
        except (ValueError, TypeError):
            return value


@breaks("connections.create.auth-params")
class strips_line_ends_from_secrets(RewritingParams):
    """As one reads a secret from a file."""

    def param(self, value: Any) -> Any:
        return value.rstrip("\r\n") if isinstance(value, str) else value


@breaks("connections.create.auth-params")
class undoes_percent_encoding_of_params(RewritingParams):
    """As one does with credentials out of a URL."""

    def param(self, value: Any) -> Any:
        return unquote(value) if isinstance(value, str) else value


@correct()
class quotes_values_of_filters(SdkClient):
    """`name=="a"` for `name==a`, which the documentation shows as equal."""

    def list_params(self, limit: int | None, property: Sequence[str], orderby: str | None) -> Pairs:
        return super().list_params(limit, [self.quoted(text) for text in property], orderby)

    def quoted(self, text: str) -> str:
        field, equals, value = text.partition("==")
        plain = equals and value and '"' not in value and "," not in value
        return f'{field}=="{value}"' if plain else text
