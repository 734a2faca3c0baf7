"""A throw-away certificate authority for `aepmock serve --tls`."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme


@contextmanager
def throw_away_tls(hosts: tuple[str, ...]) -> Iterator[tuple[ssl.SSLContext, Path]]:
    """A server's context for these names, and the file of the CA that its clients are to trust.

    The folder is readable by its owner only, holds no key, and goes at the end.
    """
    authority = trustme.CA(organization_name="aepmock, throw-away")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    authority.issue_cert(*hosts, common_name="aepmock").configure_cert(context)
    with TemporaryDirectory(prefix="aepmock-") as folder:
        path = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(path))
        yield context, path
