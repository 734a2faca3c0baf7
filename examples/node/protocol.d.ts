/**
 * The lines that aepmock and a program that it judges write to each other, as types.
 *
 * One JSON object a line, UTF-8, a line ends at LF. aepmock writes requests to the program's
 * stdin, one at a time, and reads one reply to each from its stdout. docs/languages.md explains.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Where to send requests and with which credentials. May differ from call to call. */
export interface ClientSettings {
  /** The base path included, without a slash at its end. */
  base_url: string;
  /** Without "Bearer ". */
  access_token: string;
  api_key: string;
  ims_org_id: string;
  sandbox_name: string;
  /** The next four are for clients that fetch their own token. */
  ims_token_url: string;
  client_id: string;
  client_secret: string;
  scopes: string;
  /** How long the client may wait for an answer to begin or go on, in seconds. */
  timeout_s: number;
  /** A file with the CA certificate to trust, or null for the usual ones. */
  ca_file: string | null;
}

/** A connection to create. What is null is left out of the request. */
export interface NewConnection {
  name: string;
  description: string | null;
  connection_spec_id: string;
  connection_spec_version: string | null;
  /** Null for connectors without auth. */
  auth_spec_name: string | null;
  auth_params: JsonObject;
}

/** One step of a JSON Patch (RFC 6902). */
export interface PatchOperation {
  op: string;
  path: string;
  value?: Json;
}

/** What a create and an update return, both as the service sent them. */
export interface IdAndEtag {
  id: string | null;
  /** With its double quotes, which are part of it; null where the service sent none. */
  etag: string | null;
}

/**
 * What each operation is given and returns. aepmock writes every argument; one that is absent means
 * the same as null.
 */
export interface Operations {
  create_connection: { args: { connection: NewConnection }; result: IdAndEtag };
  /** Returns the connection itself, out of its envelope. */
  get_connection: { args: { connection_id: string }; result: JsonObject };
  /** `limit` is the page size: every item of every page is returned. */
  list_connections: {
    args: { limit?: number | null; property?: string[]; orderby?: string | null };
    result: JsonObject[];
  };
  count_connections: { args: { property?: string[] }; result: number };
  update_connection: {
    args: { connection_id: string; etag: string | null; operations: PatchOperation[] };
    result: IdAndEtag;
  };
  delete_connection: { args: { connection_id: string }; result: null };
  /** Returns whether the service could use the connection's credentials. */
  test_connection: { args: { connection_id: string }; result: boolean };
  /** Returns the answer's document. */
  explore_connection: {
    args: {
      connection_id: string;
      object_type: string;
      object?: string | null;
      file_type?: string | null;
      preview?: boolean | null;
      source_params?: JsonObject | null;
    };
    result: Json;
  };
}

export type OperationName = keyof Operations;

/** The first request. */
export interface Hello {
  id: number;
  op: "hello";
  args: { protocol: number };
}

/** What is answered to it, within 30 seconds. */
export interface Greeting {
  /** What the client is called, best with its version. */
  name: string;
  operations: OperationName[];
}

/** The last request: the program ends within 5 seconds. It may answer. */
export interface Bye {
  id: number;
  op: "bye";
}

/** A request to call one operation. */
export interface CallOf<Name extends OperationName> {
  id: number;
  op: Name;
  settings: ClientSettings;
  args: Operations[Name]["args"];
}

export type Call = { [Name in OperationName]: CallOf<Name> }[OperationName];

/** A line on the program's stdin. */
export type Request = Hello | Call | Bye;

/** An error that the client reports to its caller. */
export interface ErrorReport {
  /** The HTTP status of the answer; null where there was none. */
  status: number | null;
  /** The service's code, "FLOW-1404-412" or "403010"; null where there was none. */
  code: string | null;
  message: string;
}

/** What an operation returned. */
export interface Success<Result> {
  id: number;
  result: Result;
}

/** What an operation reported instead; `id` is null for a line that was no request. */
export interface Failure {
  id: number | null;
  error: ErrorReport;
}

/** A line on the program's stdout. */
export type Reply = Success<Greeting> | Success<Operations[OperationName]["result"]> | Failure;
