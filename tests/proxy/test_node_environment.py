"""What the proxy's environment tells Node."""

from __future__ import annotations

from pathlib import Path

import trustme

from aepmock.cli.proxy import environment
from aepmock.transports.proxy import Proxy


def test_node_is_served_by_the_preload_alone(tmp_path: Path) -> None:
    """Node's own use of the proxy breaks axios 0.21 to 1.13 on Node 24."""

    pem = trustme.CA().cert_pem.bytes()
    proxy = Proxy("http://127.0.0.1:4012", pem)
    found = environment(proxy, tmp_path, {"NODE_USE_ENV_PROXY": "1", "NODE_OPTIONS": "--trace-gc"})
    assert "NODE_USE_ENV_PROXY" not in found
    assert found["NODE_OPTIONS"].startswith("--trace-gc --require ")
