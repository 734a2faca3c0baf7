"""Nothing is written that was not redacted, and nothing is kept that holds a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from aepmock.live.redacted_files import SecretFoundError, scan, write
from aepmock.messages import Exchange, Headers, Request, Response
from aepmock.redaction import Redactor
from aepmock.redaction.redacted import Redacted, redact, redact_exchange

SECRET = 'a "secret" of ümine'


def exchange() -> Exchange:
    headers = Headers({"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"})
    body = b'{"accessToken": "%s"}' % SECRET.replace('"', '\\"').encode()
    return Exchange(
        Request("POST", "https://platform.adobe.io", "/x?token=abcdefgh", headers, body),
        Response(200, Headers({"Content-Type": "text/plain"}), SECRET.encode()),
        7,
    )


def test_an_exchange_is_written_without_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    redacted = redact_exchange(exchange(), Redactor(values=[SECRET]))
    write(path, [redacted], [SECRET])
    text = path.read_text()
    assert "secret" in text
    assert "of ümine" not in text
    assert "of \\u00fcmine" not in text


def test_what_was_not_redacted_can_not_be_written() -> None:
    with pytest.raises(TypeError):
        Redacted({"token": SECRET}, by="me")


def test_a_file_with_a_secret_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    careless = redact({"note": SECRET}, Redactor())
    with pytest.raises(SecretFoundError) as caught:
        write(path, [careless], [SECRET])
    assert SECRET not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_report_with_a_secret_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"got": "p8e-0123456789"}')
    with pytest.raises(SecretFoundError):
        scan(path, ["p8e-0123456789"])
    assert not path.exists()


def test_a_file_without_secrets_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("{}")
    scan(path, [SECRET, "abc"])
    assert path.exists()
