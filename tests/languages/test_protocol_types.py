"""The protocol's types: the Node example keeps to them, and they tell right lines from wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.languages.programs import ROOT

CONSUMER = """
import type { Call, Reply, Request } from "./protocol.js";

const settings = {
  base_url: "", access_token: "", api_key: "", ims_org_id: "", sandbox_name: "", ims_token_url: "",
  client_id: "", client_secret: "", scopes: "", timeout_s: 2, ca_file: null,
};

export const right: Request[] = [
  { id: 0, op: "hello", args: { protocol: 1 } },
  { id: 1, op: "list_connections", settings, args: { limit: 2, property: ["a"], orderby: null } },
  { id: 2, op: "get_connection", settings, args: { connection_id: "1" } },
  { id: 3, op: "bye" },
];
export const replies: Reply[] = [
  { id: 0, result: { name: "acme", operations: ["create_connection"] } },
  { id: 1, result: [{ id: "1" }] },
  { id: 2, error: { status: 412, code: "FLOW-1404-412", message: "" } },
  { id: null, error: { status: null, code: null, message: "" } },
];

// @ts-expect-error an operation that does not exist
export const noOperation: Call = { id: 1, op: "put_connection", settings, args: {} };
// @ts-expect-error the argument of another operation
export const otherArgs: Call = { id: 1, op: "get_connection", settings, args: { limit: 2 } };
// @ts-expect-error no settings
export const noSettings: Call = { id: 1, op: "count_connections", args: {} };
// @ts-expect-error a status is a number
export const badStatus: Reply = { id: 1, error: { status: "412", code: null, message: "" } };
// @ts-expect-error what has no id of a request is an error
export const strayResult: Reply = { id: null, result: null };

export function narrowed(request: Request): string | number | null {
  switch (request.op) {
    case "hello":
      return request.args.protocol;
    case "bye":
      return null;
    case "update_connection":
      return request.args.etag;
    default:
      return request.settings.base_url;
  }
}
"""
OPTIONS = (
    *("--strict", "--noEmit", "--allowJs", "--checkJs", "--noUnusedLocals"),
    *("--target", "es2022", "--lib", "es2022,dom", "--types", "node"),
    *("--module", "nodenext", "--moduleResolution", "nodenext"),
)


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with TypeScript and Node's types; skips where they can't be had, but not in CI."""
    folder = tmp_path_factory.mktemp("types")
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("npm is not installed")
    words = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
    done = subprocess.run(
        [*words, "typescript@5.9", "@types/node@22"], capture_output=True, text=True, timeout=240
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"npm can't install TypeScript: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_example_and_the_lines_have_the_types_of_the_protocol(compiler: Path) -> None:
    for file in ("protocol.d.ts", "client.mjs"):
        shutil.copy(ROOT / "examples" / "node" / file, compiler)
    (compiler / "consumer.mts").write_text(CONSUMER, "utf-8")
    files = ["consumer.mts", "client.mjs", "protocol.d.ts"]
    done = subprocess.run(
        [str(compiler / "node_modules" / ".bin" / "tsc"), *OPTIONS, *files],
        cwd=compiler,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.stdout, done.returncode) == ("", 0)
