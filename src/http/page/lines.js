// The same request for a shell and for Python's standard library.

import { address, key } from "./api.js";
import { el, field } from "./dom.js";

// A longer body does not fit a command line that anybody wants to read: it is taken from a file.
const LONGEST = 4000;

const FILES = { "text/csv": "input.csv", "text/tab-separated-values": "input.tsv", "text/x-fasta": "input.fa" };

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function fileOf(call) {
  return call.body?.length > LONGEST ? (FILES[call.type] ?? "input.json") : null;
}

function headersOf(call) {
  const headers = [];
  if (call.body !== undefined) headers.push(["Content-Type", call.type]);
  if (call.accept) headers.push(["Accept", call.accept]);
  return headers;
}

export function curl(call) {
  const lines = [`curl ${quoted(address(call).href)}`];
  // The key itself is shown nowhere: these lines are made to be passed on.
  if (key.get()) lines.push('-H "Authorization: Bearer $MIRADOR_KEY"');
  for (const [name, value] of headersOf(call)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  const file = fileOf(call);
  if (file) lines.push(`--data-binary @${file}`);
  else if (call.body !== undefined) lines.push(`--data-raw ${quoted(call.body)}`);
  return lines.join(" \\\n  ");
}

/** A JSON value as Python writes it. */
function literal(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${literal(inner)}`);
  return `{${entries.join(", ")}}`;
}

function pythonBody(call) {
  const file = fileOf(call);
  if (file) return `open(${JSON.stringify(file)}, "rb").read()`;
  if (call.type === "application/json") return `json.dumps(${literal(JSON.parse(call.body))}).encode()`;
  return `${JSON.stringify(call.body)}.encode()`;
}

export function python(call) {
  const headers = headersOf(call).map((pair) => pair.map((text) => JSON.stringify(text)).join(": "));
  if (key.get()) headers.push('"Authorization": "Bearer " + os.environ["MIRADOR_KEY"]');
  const json = call.type === "application/json" && !fileOf(call);
  const imports = [json ? "json" : null, key.get() ? "os" : null, "urllib.request"].filter(Boolean);
  return [
    `import ${imports.join(", ")}`,
    "",
    "request = urllib.request.Request(",
    `    ${JSON.stringify(address(call).href)},`,
    `    data=${pythonBody(call)},`,
    `    headers={${headers.join(", ")}},`,
    ")",
    "with urllib.request.urlopen(request) as reply:",
    "    print(reply.read().decode())",
  ].join("\n");
}

/** A button that copies, and says in its own words whether it did. */
export function copyButton(label, text) {
  const button = el("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    const done = await navigator.clipboard?.writeText(text()).then(() => true, () => false);
    button.textContent = done ? "Copied" : "Not copied: select the text instead";
    setTimeout(() => (button.textContent = label), 2500);
  });
  return button;
}

/** What was just asked, to be asked again elsewhere; `add` takes the name of a call and the call. */
export function programLines() {
  const calls = [];
  const which = el("select");
  const language = el("select", null, el("option", { value: "curl" }, "curl (bash)"), el("option", { value: "python" }, "Python"));
  const code = el("code");
  const note = el("p", { class: "hint" });
  const draw = () => {
    const call = calls[which.value];
    code.textContent = language.value === "curl" ? curl(call) : python(call);
    const file = fileOf(call);
    note.textContent = [
      file ? `Save your input as ${file} first: it is too long for a line.` : "",
      key.get() ? "Put your key into the environment variable MIRADOR_KEY." : "",
    ].join(" ").trim();
  };
  for (const select of [which, language]) select.addEventListener("change", draw);
  const add = (name, call) => {
    which.append(el("option", { value: calls.length }, name));
    calls.push(call);
    draw();
  };
  const choice = el("div", { class: "row" }, field("Request", which), field("Language", language), copyButton("Copy", () => code.textContent));
  const node = el("details", { class: "lines" }, el("summary", null, "The same request from a program (curl, Python)"), choice, note,
    el("pre", { tabindex: "0", role: "region", "aria-label": "Program lines" }, code));
  return { node, add };
}
