// What a client sends, live. Every text from outside goes in by textContent, never as markup.
"use strict";

const MOST = 1000;
const byId = (id) => document.getElementById(id);
const list = byId("list");
const detail = byId("detail");
const entries = new Map();
let chosen = null;
let filter = "all";
let stateTimer = 0;

function make(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function words(entry) {
  const found = entry.findings.map((f) => `${f.clause} ${f.summary}`).join(" ");
  return `${entry.method} ${entry.target} ${entry.status} ${entry.clause || ""} ${entry.fault || ""} ${found} ${entry.request}`.toLowerCase();
}

// What aepmock does not imitate was not refused: nobody judged it.
function wasRefused(entry) {
  return entry.status >= 400 && entry.verdict !== "not-imitated";
}

function matches(entry) {
  if (filter === "broken" && entry.verdict !== "broken") return false;
  if (filter === "refused" && !wasRefused(entry)) return false;
  const text = byId("text").value.trim().toLowerCase();
  return text === "" || words(entry).includes(text);
}

function shortTarget(target) {
  return target.replace("/data/foundation/flowservice", "") || target;
}

function row(entry) {
  const item = make("li");
  item.id = `request-${entry.number}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.dataset.number = entry.number;
  item.append(make("span", `#${entry.number}`, "number"));
  const path = make("span", `${entry.method} ${shortTarget(entry.target)}`, "path");
  path.title = entry.target;
  item.append(path, badge(entry));
  if (entry.clause) item.append(make("span", entry.clause, `clause ${entry.verdict}`));
  item.classList.toggle("not-imitated", entry.verdict === "not-imitated");
  item.hidden = !matches(entry);
  return item;
}

function count() {
  let broken = 0;
  let refused = 0;
  let shown = 0;
  for (const { entry, item } of entries.values()) {
    if (entry.verdict === "broken") broken += 1;
    if (wasRefused(entry)) refused += 1;
    if (!item.hidden) shown += 1;
  }
  byId("n-all").textContent = entries.size;
  byId("n-broken").textContent = broken;
  byId("n-refused").textContent = refused;
  byId("none").hidden = entries.size > 0;
  byId("unmatched").hidden = entries.size === 0 || shown > 0;
}

function add(entry) {
  if (entries.has(entry.number)) return;
  const item = row(entry);
  entries.set(entry.number, { entry, item });
  list.prepend(item);
  while (entries.size > MOST) {
    const [oldest, { item: last }] = entries.entries().next().value;
    entries.delete(oldest);
    last.remove();
  }
  soon();
}

function clear() {
  entries.clear();
  list.replaceChildren();
  choose(null);
  count();
  soon();
}

function soon() {
  if (stateTimer) return;
  stateTimer = setTimeout(() => { stateTimer = 0; count(); readState(); }, 150);
}

function diffView(diff) {
  const view = make("pre");
  view.id = "diff";
  for (const line of diff.split("\n")) {
    const head = /^(--- sent|\+\+\+ right|@@ )/.test(line);
    const kind = head ? "head" : line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : "same";
    view.append(make("span", line === "" ? " " : line, kind));
  }
  return view;
}

// The rule of the clause, where the service refused the request for it: "CLAUSE: TEXT Source: …".
function ruleOf(entry, finding) {
  const lead = `${finding.clause}: `;
  if (!entry.explanation.startsWith(lead)) return "";
  return entry.explanation.slice(lead.length).replace(/ Source: .*$/s, "");
}

function findingView(entry, finding) {
  const view = make("div", undefined, "finding");
  const title = make("p");
  title.append(make("b", finding.clause), ` (${finding.grade}): ${finding.summary}`);
  const facts = make("dl");
  const rows = [["rule", ruleOf(entry, finding)], ["expected", finding.expected], ["actual", finding.got], ["source", finding.source]];
  for (const [name, value] of rows) {
    if (value) facts.append(make("dt", name), make("dd", value));
  }
  view.append(title, facts);
  return view;
}

function badge(entry) {
  const verdict = entry.verdict.replace("-", " ");
  return make("span", `${entry.status || "no answer"} ${verdict}`, `badge ${entry.verdict}`);
}

function show(entry) {
  const back = make("button", "← Back", "back");
  back.type = "button";
  back.addEventListener("click", () => { choose(null); list.focus(); });
  const title = make("h2", `#${entry.number} ${entry.method} ${entry.target}`);
  const parts = [back, title, badge(entry)];
  if (entry.fault) parts.push(make("h3", "What was put in its way"), make("p", entry.fault));
  for (const finding of entry.findings) parts.push(findingView(entry, finding));
  const told = entry.findings.some((finding) => ruleOf(entry, finding));
  if (entry.explanation && !told) parts.push(make("h3", entry.verdict === "not-imitated" ? "Why nobody judged it" : "Why the service refused it"), make("p", entry.explanation));
  if (entry.diff) parts.push(make("h3", "To the nearest right request"), diffView(entry.diff));
  parts.push(make("h3", "Request"), make("pre", entry.request));
  parts.push(make("h3", "Answer"), make("pre", entry.response));
  detail.replaceChildren(...parts);
  detail.scrollTop = 0;
}

function choose(number) {
  const before = entries.get(chosen);
  if (before) before.item.setAttribute("aria-selected", "false");
  const found = entries.get(number);
  chosen = found ? number : null;
  document.body.classList.toggle("open", Boolean(found));
  if (!found) {
    list.removeAttribute("aria-activedescendant");
    detail.replaceChildren(make("p", "Choose a request. Arrow keys move, Escape closes.", "empty"));
    return;
  }
  found.item.setAttribute("aria-selected", "true");
  list.setAttribute("aria-activedescendant", found.item.id);
  found.item.scrollIntoView({ block: "nearest" });
  show(found.entry);
}

function step(by) {
  const shown = [...list.children].filter((item) => !item.hidden);
  if (shown.length === 0) return;
  const at = shown.findIndex((item) => Number(item.dataset.number) === chosen);
  const next = at < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, at + by));
  choose(Number(shown[next].dataset.number));
}

list.addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) choose(Number(item.dataset.number));
});
list.addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -MOST, End: MOST };
  if (event.key in steps) { event.preventDefault(); step(steps[event.key]); }
  if (event.key === "Enter" && chosen !== null) detail.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  choose(null);
  list.focus();
});

function refilter() {
  for (const { entry, item } of entries.values()) item.hidden = !matches(entry);
  count();
}
for (const button of document.querySelectorAll("[data-filter]")) {
  button.addEventListener("click", () => {
    filter = button.dataset.filter;
    for (const other of document.querySelectorAll("[data-filter]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    refilter();
  });
}
byId("text").addEventListener("input", refilter);

async function readState() {
  const answer = await fetch("state");
  if (!answer.ok) return;
  const state = await answer.json();
  const faults = state.faults.map((fault) => `${fault.operation}: ${fault.fault}`);
  const held = state.count === 1 ? "1 connection" : `${state.count} connections`;
  const more = faults.length > 2 ? ` and ${faults.length - 2} more` : "";
  const coming = faults.length ? ` · to go wrong: ${faults.slice(0, 2).join("; ")}${more}` : "";
  byId("summary").textContent = held + coming;
  byId("held").replaceChildren(...state.connections.map((connection) => {
    const item = make("li");
    const name = make("div", connection.name ?? "(no name)", "name");
    name.title = name.textContent;
    item.append(name);
    const words = [connection.state, connection.sandboxName, connection.id];
    item.append(make("div", words.join(" · "), "quiet"));
    return item;
  }));
}

// Below /t/NAME/ a mock has its own base URL.
byId("base").textContent = new URL("../data/foundation/flowservice", location.href).href;

const live = byId("live");
const source = new EventSource("events");
source.addEventListener("open", () => { live.textContent = "live"; live.classList.add("on"); soon(); });
source.addEventListener("error", () => { live.textContent = "not connected"; live.classList.remove("on"); });
source.addEventListener("exchange", (event) => add(JSON.parse(event.data)));
source.addEventListener("reset", clear);
