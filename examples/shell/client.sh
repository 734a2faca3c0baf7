#!/usr/bin/env bash
# A client of Flow Service's /connections on curl and jq, for bash 4 and later.
#
# Copy it. jq says what to send and reads the answers, curl sends, bash carries the lines to and
# fro and makes a program of them that aepmock can judge:
#
#     aepmock judge -- bash examples/shell/client.sh
#
# One jq does for the whole run: to start one for each line would take most of the time. A text
# leaves jq only as JSON, because a variable of bash can't hold every text. Credentials never stand
# in an argument, where ps would show them to everyone.
set -uo pipefail
export LC_ALL=C # bash is not to look into the octets; jq speaks UTF-8 always

for program in curl jq; do
  command -v "$program" >/dev/null || { echo "client.sh needs $program" >&2; exit 127; }
done
((BASH_VERSINFO[0] >= 4)) || { echo "client.sh needs bash 4, this is $BASH_VERSION" >&2; exit 127; }

# jq reads lines of two kinds: "request JSON" and "answer STATUS EXIT BODY", EXIT being curl's.
# It says one line to each: "send CONFIG", "reply JSON" or "bye JSON".
read -r -d '' PROGRAM <<'JQ'
# The text is our own: the service's words may repeat a credential that was sent.
def fail($why; $status; $code): error({why: $why, status: $status, code: $code});
def fail($why): fail($why; null; null);

# What is sent. Here . is the request of the kit, and what is known so far of the answer to it.

def url($segments; $query):
  # A server would read . and .. as steps in the path.
  if any($segments[]; . == "" or . == "." or . == "..")
  then fail("this connection id can't be written in a path") else . end
  | (.settings.base_url | rtrimstr("/"))
    + (["connections", $segments[]] | map("/" + (. | @uri)) | add)
    + ([$query[] | select(.[1] != null) | .[0] + "=" + (.[1] | tostring | @uri)] | join("&")
       | if . == "" then "" else "?" + . end);

def filters: [.args.property // [] | .[] | ["property", .]];

# A line of curl's config, where a backslash begins an escape.
def option($name; $value):
  $name + " = \"" + ($value | split("\\") | join("\\\\") | split("\"") | join("\\\"")) + "\"";

def header($name; $value):
  # A line break would begin another header. Octets beyond ASCII mean what the server likes, and
  # blanks at the ends get lost.
  if ($value | type) == "string" and ($value | explode
      | length > 0 and all(.[]; . > 31 and . < 127) and .[0] != 32 and .[-1] != 32)
  then option("header"; $name + ": " + $value)
  else fail("the value for " + $name + " can't be sent in a header") end;

# Separated by tabs, which no option holds: JSON writes its own as \t.
def send($method; $url; $body; $etag):
  .settings as $s
  | .say = "send " + ([
      option("request"; $method),
      option("url"; $url),
      option("max-time"; $s.timeout_s | tostring), # curl alone waits for ever
      header("Authorization"; "Bearer " + $s.access_token),
      header("x-api-key"; $s.api_key),
      header("x-gw-ims-org-id"; $s.ims_org_id),
      header("x-sandbox-name"; $s.sandbox_name),
      header("Accept"; "application/json"),
      (if $etag != null then header("If-Match"; $etag) else empty end),
      (if $body != null
       then header("Content-Type"; "application/json"), option("data-binary"; $body | tojson)
       else empty end),
      (if $s.ca_file != null then option("cacert"; $s.ca_file) else empty end)
    ] | join("\t"));

def send($method; $url): send($method; $url; null; null);

# What the caller did not give is left out: null is not allowed.
def given: with_entries(select(.value != null));

def new_connection:
  {
    name,
    description,
    connectionSpec: ({id: .connection_spec_id, version: .connection_spec_version} | given),
    auth: (if .auth_spec_name == null then null
           else {specName: .auth_spec_name, params: .auth_params} end)
  } | given;

def first_request:
  .args as $a
  | if .op == "create_connection" then
      # Sent once: to repeat a POST whose answer was lost could make a second connection.
      send("POST"; url([]; []); $a.connection | new_connection; null)
    elif .op == "get_connection" then
      send("GET"; url([$a.connection_id]; []))
    elif .op == "list_connections" then
      url([]; filters + [["limit", $a.limit], ["orderby", $a.orderby]]) as $url
      | .seen = [$url] | .items = [] | send("GET"; $url)
    elif .op == "count_connections" then
      # Never with a limit: the service refuses the two together.
      send("GET"; url([]; [["count", "true"]] + filters))
    elif .op == "update_connection" then
      # The etag as it came, its double quotes are part of it. After a 412 someone else was
      # faster: the caller has to look at the connection again.
      if $a.etag == null then fail("an update needs the connection's etag") else . end
      | send("PATCH"; url([$a.connection_id]; []); $a.operations; $a.etag)
    elif .op == "delete_connection" then
      send("DELETE"; url([$a.connection_id]; []))
    elif .op == "test_connection" then
      send("GET"; url([$a.connection_id, "test"]; []))
    elif .op == "explore_connection" then
      send("GET"; url([$a.connection_id, "explore"]; [
        ["objectType", $a.object_type],
        ["object", $a.object],
        ["fileType", $a.file_type],
        ["preview", $a.preview],
        ["sourceParams", ($a.source_params | if . == null then . else tojson | @base64 end)]
      ]))
    else fail("no operation is called \(.op)") end;

# What comes back.

def reply($result): .say = "reply " + ({id, result: $result} | tojson);

# The value in a text that is JSON, in an array, else an empty one. jq alone lets nan and Infinity
# pass.
def parsed: [try fromjson catch empty | select([.. | numbers | isnan or isinfinite] | any | not)];

# FLOW-1404-412 in the service's own errors, 403010 in the gateway's. Null for what is empty, HTML
# or broken off: the status has to do.
def code:
  parsed[0] | if type != "object" then null
  else ((.type | strings | capture("/(?<code>FLOW-[^/]+)$").code) // .error_code)
    | if . == null then null else tostring end end;

def member($key): if type == "object" then .[$key] else null end;

# The URL of the next page, or null on the last one. A link is relative to the base path, not to
# the host, and never leads to another host: the token would go with it.
def next_url($document; $status):
  (.settings.base_url | rtrimstr("/")) as $base
  | def origin: [capture("^(?<origin>https?://[^/?#@\\\\]*)([/?#]|$)").origin] | .[0];
    ($document | member("_links") | member("next") | member("href")) as $href
  | if $href == null or $href == "" then null
    elif ($href | type) != "string" then fail("the next link is no text"; $status; null)
    elif ($href | startswith("/") and (startswith("//") | not)) then $base + $href
    elif ($href | startswith("?")) then $base + "/connections" + $href
    elif ($href | origin) == ($base | origin) then $href
    else fail("the next link leads elsewhere"; $status; null) end;

# What the documentation promises of a 2xx is asked for by name and kind.
def take($document; $status):
  def want(condition; $what):
    if $document | condition then . else fail("the answer has no " + $what; $status; null) end;
  def id_and_etag:
    want(.etag == null or (.etag | type == "string" and . != ""); "etag")
    | reply($document | {id, etag});
  if .op == "explore_connection" then
    want(type == "object" or type == "array"; "object or array") | reply($document)
  else
    want(type == "object"; "object")
    | if .op == "create_connection" then
        want(.id | type == "string" and . != ""; "id") | id_and_etag
      elif .op == "update_connection" then
        want(.id != null or .etag != null; "id and no etag") | id_and_etag
      elif .op == "count_connections" then
        want(.count | type == "number" and . == floor; "count") | reply($document.count)
      elif .op == "test_connection" then
        # A credential that does not work is a 200 with false.
        want(.result | type == "boolean"; "result") | reply($document.result)
      else
        want(.items | type == "array" and all(.[]; type == "object"); "items")
        | if .op == "get_connection" then
            want(.items | length == 1; "single item") | reply($document.items[0])
          else
            .items += $document.items
            | next_url($document; $status) as $next
            # An empty page is not the end, a missing link is.
            | if $next == null then reply(.items)
              elif any(.seen[]; . == $next) then fail("the next link leads in a circle")
              else .seen += [$next] | send("GET"; $next) end
          end
      end
  end;

def answered($status; $exit; $body):
  (if $status == 0 then null else $status end) as $status
  | if $exit != 0 then fail("no whole answer: curl \($exit)"; $status; null)
    elif $status < 200 or $status > 299
    then fail("the request was refused"; $status; $body | code)
    elif .op == "delete_connection" then reply(null)
    else ($body | parsed) as $documents
      | if $documents == [] then fail("the answer is not JSON"; $status; null)
        else take($documents[0]; $status) end
    end;

# The program.

def begun:
  if .op == "hello" then reply({name: "shell example", operations: [
    "create_connection", "get_connection", "list_connections", "count_connections",
    "update_connection", "delete_connection", "test_connection", "explore_connection"]})
  elif .op == "bye" then .say = "bye " + ({id, result: null} | tojson)
  else first_request end;

def failed($error):
  # An error that jq itself raised is a text, and may quote what it stumbled over.
  ($error | if type == "object" then . else {why: "an unexpected value"} end) as $e
  | ([$e.status, $e.code, $e.why] | map(select(. != null) | tostring) | join(" ")) as $message
  | .say = "reply " + ({id, error: {status: $e.status, code: $e.code, message: $message}} | tojson);

# Whatever happens, one line is said to each: bash waits for it.
foreach inputs as $line ({};
  . as $before
  | [
      (if $line | startswith("request ") then
         [$line[8:] | try fromjson catch empty | objects][0] as $request
         | if $request == null then {} | failed({why: "no request"})
           else $request | try begun catch (. as $error | $request | failed($error)) end
       else
         ($line | capture("^(?<start>answer (?<status>[0-9]+) (?<exit>[0-9]+) )")) as $head
         | try answered($head.status | tonumber; $head.exit | tonumber;
                        $line[($head.start | length):])
           catch (. as $error | $before | failed($error))
       end),
      failed({why: "an unexpected line"})
    ][0];
  .say)
JQ

exec 3>&1 1>&2 # only replies may stand on stdout; stderr is the log
coproc JQ { exec jq --null-input --raw-input --raw-output --unbuffered "$PROGRAM"; }

# Tells jq one line, and puts what it says to that into $said.
tell() {
  printf '%s\n' "$1" >&"${JQ[1]}" && IFS= read -r said <&"${JQ[0]}" && return
  echo "client.sh: jq has gone" >&2
  exit 1
}

# Sends what the config says. The status comes behind the body, in a line of its own.
transfer() {
  # --disable: no ~/.curlrc. Unasked, curl follows no redirect and repeats nothing.
  printf '%s\n' "${1//$'\t'/$'\n'}" |
    curl --disable --silent --globoff --path-as-is --config - \
      --write-out '\n%{http_code} %{exitcode}'
}

while IFS= read -r line; do
  tell "request $line"
  while [[ $said == "send "* ]]; do
    answer=$(transfer "${said#send }")
    body=${answer%$'\n'*}
    # Between the values of JSON, where alone it may stand, a line break is as good as a blank.
    tell "answer ${answer##*$'\n'} ${body//[$'\r\n']/ }"
  done
  printf '%s\n' "${said#* }" >&3
  [[ $said == "bye "* ]] && break
done
