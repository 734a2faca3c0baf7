// @ts-check
/*
 * A client of Flow Service's /connections on Node's own fetch.
 *
 * Copy it. The first part is the client; the second makes a program of it that aepmock can judge:
 *
 *     aepmock judge -- node examples/node/client.mjs
 */

import { readFileSync, realpathSync } from "node:fs";
import { argv } from "node:process";
import tls from "node:tls";
import { pathToFileURL } from "node:url";

/** @import {CallOf, ClientSettings, ErrorReport, IdAndEtag, Json} from "./protocol.d.ts" */
/** @import {JsonObject, OperationName, Operations, Reply, Request} from "./protocol.d.ts" */
/** @template {OperationName} N @typedef {Operations[N]["args"]} Args */
/** @template {OperationName} N @typedef {Operations[N]["result"]} Result */
/** @typedef {[name: string, value: string | number | boolean | null | undefined]} Pair */

// The client

/**
 * What went wrong, with the HTTP status and the service's code where there are any. The text is
 * our own: the service's words may repeat a credential that was sent.
 */
export class FlowServiceError extends Error {
  /** @param {string} why @param {number | null} status @param {string | null} code */
  constructor(why, status = null, code = null) {
    super([status, code, why].filter((part) => part !== null).join(" "));
    this.status = status;
    this.code = code;
  }
}

/** The operations on connections. Made anew for each settings: it shares nothing. */
export class Connections {
  /** @type {Record<string, string>} private, so that no inspection of the object shows the token */
  #headers;

  /** @param {ClientSettings} settings */
  constructor(settings) {
    this.base = settings.base_url.replace(/\/+$/, "");
    this.timeoutMs = settings.timeout_s * 1000;
    this.#headers = {
      Authorization: `Bearer ${settings.access_token}`,
      "x-api-key": settings.api_key,
      "x-gw-ims-org-id": settings.ims_org_id,
      "x-sandbox-name": settings.sandbox_name,
    };
    trust(settings.ca_file);
  }

  /** @param {Args<"create_connection">} args @returns {Promise<IdAndEtag>} */
  async create({ connection }) {
    /** @type {JsonObject} */
    const spec = { id: connection.connection_spec_id };
    /** @type {JsonObject} */
    const body = { name: connection.name, connectionSpec: spec };
    // What the caller did not give is left out: null is not allowed.
    if (isGiven(connection.description)) body.description = connection.description;
    if (isGiven(connection.connection_spec_version)) {
      spec.version = connection.connection_spec_version;
    }
    if (isGiven(connection.auth_spec_name)) {
      body.auth = { specName: connection.auth_spec_name, params: connection.auth_params };
    }
    // Sent once: to repeat a POST whose answer was lost could make a second connection.
    const answer = await this.#ask("POST", this.#url(), body);
    return { id: answer.text("id"), etag: answer.textOrNull("etag") };
  }

  /** @param {Args<"get_connection">} args @returns {Promise<JsonObject>} */
  async get({ connection_id }) {
    const answer = await this.#ask("GET", this.#url([connection_id]));
    const items = answer.items(); // one connection comes as a list of one
    if (items.length !== 1) throw answer.problem("the answer does not hold one connection");
    return items[0];
  }

  /** @param {Args<"list_connections">} args @returns {Promise<JsonObject[]>} */
  async list({ limit, property, orderby }) {
    const items = [];
    const seen = new Set();
    /** @type {string | null} */
    let url = this.#url([], [...filters(property), ["limit", limit], ["orderby", orderby]]);
    while (url !== null) {
      if (seen.has(url)) throw new FlowServiceError("the next link leads in a circle");
      seen.add(url);
      const answer = await this.#ask("GET", url);
      items.push(...answer.items());
      url = this.#next(answer); // an empty page is not the end, a missing link is
    }
    return items;
  }

  /** @param {Args<"count_connections">} args @returns {Promise<number>} */
  async count({ property }) {
    // Never with a limit: the service refuses the two together.
    const answer = await this.#ask("GET", this.#url([], [["count", "true"], ...filters(property)]));
    const count = answer.member("count");
    if (!Number.isInteger(count)) throw answer.problem("the answer has no count");
    return Number(count);
  }

  /** @param {Args<"update_connection">} args @returns {Promise<IdAndEtag>} */
  async update({ connection_id, etag, operations }) {
    // The etag as it came, its double quotes are part of it. After a 412 someone else was faster:
    // the caller has to look at the connection again.
    if (!isGiven(etag)) throw new FlowServiceError("an update needs the connection's etag");
    const answer = await this.#ask("PATCH", this.#url([connection_id]), operations, etag);
    const changed = { id: answer.textOrNull("id"), etag: answer.textOrNull("etag") };
    if (changed.id ?? changed.etag) return changed;
    throw answer.problem("the answer has neither id nor etag");
  }

  /** @param {Args<"delete_connection">} args @returns {Promise<null>} */
  async delete({ connection_id }) {
    await this.#send("DELETE", this.#url([connection_id]));
    return null;
  }

  /** @param {Args<"test_connection">} args @returns {Promise<boolean>} */
  async test({ connection_id }) {
    const answer = await this.#ask("GET", this.#url([connection_id, "test"]));
    const result = answer.member("result"); // a credential that does not work is a 200 with false
    if (typeof result !== "boolean") throw answer.problem("the answer has no result");
    return result;
  }

  /** @param {Args<"explore_connection">} args @returns {Promise<Json>} */
  async explore({ connection_id, object_type, object, file_type, preview, source_params }) {
    const params = isGiven(source_params)
      ? Buffer.from(JSON.stringify(source_params)).toString("base64")
      : null;
    const url = this.#url([connection_id, "explore"], [
      ["objectType", object_type],
      ["object", object],
      ["fileType", file_type],
      ["preview", preview],
      ["sourceParams", params],
    ]);
    const answer = await this.#ask("GET", url);
    if (typeof answer.document !== "object" || answer.document === null) {
      throw answer.problem("the answer is neither object nor array");
    }
    return answer.document;
  }

  /** @param {string[]} segments @param {Pair[]} query */
  #url(segments = [], query = []) {
    // fetch takes . and .. for steps in the path, even percent-encoded.
    if (segments.some((segment) => ["", ".", ".."].includes(segment))) {
      throw new FlowServiceError("this connection id can't be written in a path");
    }
    const path = ["connections", ...segments.map(encodeURIComponent)].join("/");
    const pairs = query
      .filter(([, value]) => isGiven(value))
      .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
    return `${this.base}/${path}${pairs.length > 0 ? "?" : ""}${pairs.join("&")}`;
  }

  /**
   * The URL of the next page, or null on the last one. A link is relative to the base path, not to
   * the host, and never leads to another host: the token would go with it.
   * @param {Answer} answer
   * @returns {string | null}
   */
  #next(answer) {
    const href = memberOf(memberOf(answer.member("_links"), "next"), "href");
    if (!isGiven(href) || href === "") return null;
    if (typeof href !== "string") throw answer.problem("the next link is no text");
    const from = new URL(`${this.base}/connections`);
    const isPath = href.startsWith("/") && !href.startsWith("//");
    try {
      const url = new URL(isPath ? this.base + href : href, from);
      if (url.origin === from.origin) return url.href;
    } catch {
      // What is no URL leads elsewhere, too.
    }
    throw answer.problem("the next link leads elsewhere");
  }

  /** @param {string} method @param {string} url @param {object} [body] @param {string} [etag] */
  async #ask(method, url, body, etag) {
    return new Answer(await this.#send(method, url, body, etag));
  }

  /**
   * Sends one request; the status and the octets of its answer, if that is a 2xx.
   * @param {string} method @param {string} url @param {object} [body] @param {string} [etag]
   */
  async #send(method, url, body, etag) {
    /** @type {Record<string, string>} */
    const headers = { ...this.#headers, Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (etag !== undefined) headers["If-Match"] = etag;
    for (const [name, value] of Object.entries(headers)) {
      // A line break would begin another header. Octets beyond ASCII mean what the server likes,
      // and blanks at the ends get lost.
      if (!/^[!-~]([ -~]*[!-~])?$/.test(value)) {
        throw new FlowServiceError(`the value for ${name} can't be sent in a header`);
      }
    }
    let status = null;
    let octets;
    try {
      const response = await fetch(url, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        redirect: "manual", // to follow one would send the token wherever it points
        signal: AbortSignal.timeout(this.timeoutMs), // fetch alone waits for minutes
      });
      status = response.status;
      octets = await response.arrayBuffer();
    } catch (error) {
      throw new FlowServiceError(`no whole answer: ${nameOf(error)}`, status);
    }
    if (status < 200 || status > 299) {
      throw new FlowServiceError("the request was refused", status, codeOf(octets));
    }
    return { status, octets };
  }
}

/** A 2xx answer. What the documentation promises of it is asked for by name and kind. */
class Answer {
  /** @param {{status: number, octets: ArrayBuffer}} received */
  constructor({ status, octets }) {
    this.status = status;
    /** @type {Json | undefined} */
    this.document = readJson(octets);
    if (this.document === undefined) throw this.problem("the answer is not JSON");
  }

  /** @param {string} key */
  member(key) {
    return memberOf(this.document, key);
  }

  /** @param {string} key */
  text(key) {
    const value = this.member(key);
    if (typeof value !== "string" || value === "") throw this.problem(`the answer has no ${key}`);
    return value;
  }

  /** @param {string} key @returns {string | null} null where the service sent none */
  textOrNull(key) {
    return isGiven(this.member(key)) ? this.text(key) : null;
  }

  items() {
    const items = this.member("items");
    if (!Array.isArray(items) || !items.every(isObject)) {
      throw this.problem("the answer has no items");
    }
    return items;
  }

  /** @param {string} why */
  problem(why) {
    return new FlowServiceError(why, this.status);
  }
}

/** @template T @param {T} value @returns {value is NonNullable<T>} */
function isGiven(value) {
  return value !== null && value !== undefined;
}

/** @param {Json | undefined} value @returns {value is JsonObject} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {Json | undefined} value @param {string} key */
function memberOf(value, key) {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** @param {string[]} [property] @returns {Pair[]} */
function filters(property = []) {
  return property.map((text) => ["property", text]);
}

/** @param {unknown} error */
function nameOf(error) {
  return error instanceof Error ? error.name : "error";
}

/**
 * The value in octets, or undefined for all that is not JSON in UTF-8.
 * @param {ArrayBuffer} octets
 * @returns {Json | undefined}
 */
function readJson(octets) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch {
    return undefined;
  }
}

/**
 * The service's code: FLOW-1404-412 in its own errors, 403010 in the gateway's. Null for what is
 * empty, HTML or broken off: the status has to do.
 * @param {ArrayBuffer} octets
 */
function codeOf(octets) {
  const document = readJson(octets);
  const type = /\/(FLOW-[^/]+)$/.exec(String(memberOf(document, "type")));
  const code = type ? type[1] : memberOf(document, "error_code");
  return isGiven(code) ? String(code) : null;
}

/**
 * Trusts one CA more. A fetch can't be given one; Node 22.19 and 24.5 can be told, an older Node
 * reads NODE_EXTRA_CA_CERTS when it starts.
 * @param {string | null | undefined} file
 */
function trust(file) {
  if (!isGiven(file) || file === process.env.NODE_EXTRA_CA_CERTS || file === trusted) return;
  if (!("setDefaultCACertificates" in tls)) {
    throw new FlowServiceError(`this Node needs NODE_EXTRA_CA_CERTS=${file} when it starts`);
  }
  tls.setDefaultCACertificates([...tls.getCACertificates(), readFileSync(file, "utf8")]);
  trusted = file;
}

/** @type {string | null} */
let trusted = null;

// The program: a line of JSON on stdin asks, a line of JSON on stdout answers

/** @type {{[N in OperationName]: (client: Connections, args: Args<N>) => Promise<Result<N>>}} */
const OPERATIONS = {
  create_connection: (client, args) => client.create(args),
  get_connection: (client, args) => client.get(args),
  list_connections: (client, args) => client.list(args),
  count_connections: (client, args) => client.count(args),
  update_connection: (client, args) => client.update(args),
  delete_connection: (client, args) => client.delete(args),
  test_connection: (client, args) => client.test(args),
  explore_connection: (client, args) => client.explore(args),
};
const NAMES = /** @type {OperationName[]} */ (Object.keys(OPERATIONS));

async function main() {
  console.log = console.error; // only replies may stand on stdout; stderr is the log
  for await (const line of linesOf(process.stdin)) {
    const request = requestIn(line);
    const reply = await replyTo(request);
    process.stdout.write(`${JSON.stringify(reply)}\n`);
    if (request?.op === "bye") break;
  }
}

/**
 * Lines end at LF and nowhere else: node:readline also ends them at U+2028, which JSON may hold.
 * @param {NodeJS.ReadStream} stream
 */
async function* linesOf(stream) {
  let rest = "";
  for await (const text of stream.setEncoding("utf8")) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** @param {string} line @returns {Request | null} */
function requestIn(line) {
  try {
    const request = JSON.parse(line);
    return isObject(request) ? /** @type {any} */ (request) : null;
  } catch {
    return null;
  }
}

/**
 * The reply to a request. An error is a reply like any other, never the end of the program.
 * @param {Request | null} request
 * @returns {Promise<Reply>}
 */
async function replyTo(request) {
  if (request === null) return { id: null, error: described(new FlowServiceError("no request")) };
  const { id } = request;
  if (request.op === "hello") return { id, result: { name: "Node example", operations: NAMES } };
  if (request.op === "bye") return { id, result: null };
  try {
    return { id, result: await perform(request) };
  } catch (error) {
    return { id, error: described(error) };
  }
}

/** @template {OperationName} N @param {CallOf<N>} call */
async function perform({ op, settings, args }) {
  if (!NAMES.includes(op)) throw new FlowServiceError(`no operation is called ${op}`);
  // A client for each call: the settings may change from call to call.
  return OPERATIONS[op](new Connections(settings), args);
}

/** @param {unknown} error @returns {ErrorReport} */
function described(error) {
  const known =
    error instanceof FlowServiceError
      ? error
      : new FlowServiceError(`${nameOf(error)} in the client`);
  return { status: known.status, code: known.code, message: known.message };
}

// As a module it is only the client; as a program, by whatever link it was found, it listens.
if (argv[1] && import.meta.url === pathToFileURL(realpathSync(argv[1])).href) await main();
