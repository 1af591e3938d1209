// What all tools share: a form with examples and models, one run at a time, its result, and where it may fail.

import { ask, Refusal } from "./api.js";
import { el, field, number, save } from "./dom.js";
import { copyButton, programLines } from "./lines.js";
import { place, problemBox } from "./problem.js";
import { downloads, sortable } from "./table.js";
import { modelOptions } from "./worth.js";

/** One run of a tool: asks, remembers what was asked, and shows what comes. */
class View {
  constructor(shell, again) {
    this.shell = shell;
    this.again = again;
    this.abort = new AbortController();
    this.node = el("div", { class: "result" });
    this.lines = programLines();
    // Of the entries of each list that is sent, for a refusal that names one.
    this.names = {};
  }

  async ask(name, call) {
    this.lines.add(name, call);
    return ask(call, this.abort.signal);
  }

  /** A JSON body; the reply's JSON. */
  async json(name, path, body) {
    return (await this.ask(name, { path, type: "application/json", body: JSON.stringify(body) })).json();
  }

  show(...nodes) {
    this.node.append(...nodes.filter(Boolean));
  }

  /** A part that comes later, and may fail while the rest stands. */
  async part(title, waiting, fill) {
    const body = el("div", { "aria-live": "polite" }, el("p", { class: "hint" }, waiting));
    this.show(el("section", null, el("h2", null, title), body));
    try {
      body.replaceChildren(...[await fill()].flat(Infinity).filter(Boolean));
    } catch (error) {
      if (this.abort.signal.aborted) return;
      body.replaceChildren(this.failure(error));
    }
  }

  failure(error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) this.shell.needKey(this.again);
    return problemBox(error, this.again, this.names);
  }

  threshold(ref) {
    return this.shell.models().find((model) => model.name === ref.name && model.version === ref.version)?.decision_threshold;
  }
}

/** Warnings of a result, which say what was assumed. */
export function warnings(result) {
  if (!result.warnings.length) return null;
  return el("div", { class: "warnings" }, el("h2", null, "Warnings"), el("ul", null, result.warnings.map((warning) => el("li", null, warning))));
}

/** Many rows: a table of the API's results, each to be looked into by `look`. */
export async function many(view, call, { name, columns, rows, look }) {
  const reply = await (await view.ask("table", { ...call, accept: "application/json" })).json();
  const known = rows.length === reply.results.length;
  const cells = reply.results.map((result, index) => [
    index + 1, ...columns.map((column) => column.of(result)),
    known ? el("button", { type: "button", class: "quiet", onclick: () => look(rows[index]), "aria-label": `Look into row ${index + 1}` }, "Look") : null,
  ]);
  const heads = [{ name: "row" }, ...columns, { name: "details" }];
  view.show(
    el("h2", null, `${cells.length} rows, answered by ${reply.model.name}@${reply.model.version}`),
    downloads(name, call, (error) => view.show(view.failure(error))),
    sortable(`Results of ${cells.length} rows`, heads, cells));
  return reply;
}

/** A picture that the API draws, once it is asked for; shown as an image, so that nothing in it can run. */
export function apiPicture(view, name, call) {
  const body = el("div", { "aria-live": "polite" });
  const node = el("details", null, el("summary", null, "A picture for a paper or a slide (SVG)"), body);
  node.addEventListener("toggle", async () => {
    if (!node.open || body.firstChild) return;
    body.textContent = "The service is drawing …";
    try {
      const blob = await (await view.ask("picture", { ...call, accept: "image/svg+xml" })).blob();
      const image = el("img", { src: URL.createObjectURL(blob), alt: "The picture that the service draws: the letters, their pairs and their effects" });
      body.replaceChildren(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Picture" }, image),
        el("button", { type: "button", class: "quiet", onclick: () => save(`${name}.svg`, blob) }, "Download SVG"));
    } catch (error) {
      if (!view.abort.signal.aborted) body.replaceChildren(view.failure(error));
    }
  });
  return node;
}

const BASES = ["A", "C", "G", "U"];

/** The numbers behind a picture of effects, to read and to keep. `strands` are pairs of a name and its letters. */
export function effectNumbers(result, strands) {
  const columns = ["strand", "position", "letter", "importance", ...(result.substitution ? BASES.map((base) => `to ${base}`) : [])];
  const rows = strands.flatMap(([name, key, letters]) => [...letters].map((letter, index) => [
    name, index + 1, letter, result.importance[key][index],
    ...(result.substitution ? BASES.map((base) => result.substitution[key][index][base]) : []),
  ]));
  const csv = () => [columns, ...rows].map((cells) => cells.map((value) => value ?? "").join(",")).join("\n");
  return el("details", null, el("summary", null, "The numbers of this picture"),
    el("button", { type: "button", class: "quiet", onclick: () => save("effects.csv", new Blob([csv(), "\n"], { type: "text/csv" })) }, "Download CSV"),
    sortable("Effect of each letter: the score less that of the changed sequence", columns.map((column) => ({ name: column })),
      rows.map((cells) => cells.map((value) => (typeof value === "number" && !Number.isInteger(value) ? value : value ?? "–")))));
}

/** A large number with what it is. */
export function figure(what, value, verdict, picture) {
  return el("div", { class: "figure" },
    el("p", { class: "what" }, what), el("p", { class: "number" }, value), picture, el("p", { class: "verdict" }, verdict));
}

/** The panel of a tool. `spec` has its words, its form (`node`, `inputs`, `values`, `fill`), `examples` and `run`. */
export function makeTool(spec, shell) {
  const form = spec.form();
  const model = el("select");
  const status = el("p", { role: "status", class: "status" });
  const outcome = el("div");
  let view;
  const values = () => ({ ...form.values(), model: model.value });
  const run = () => start();
  const fill = (given) => {
    form.fill(given);
    if ([...model.options].some((option) => option.value === (given.model ?? ""))) model.value = given.model ?? "";
  };
  const look = (given) => {
    fill({ ...given, model: model.value });
    start();
  };

  async function start() {
    view?.abort.abort();
    view = new View(shell, run);
    const own = view;
    mark(form.inputs, []);
    outcome.replaceChildren(own.node, own.lines.node);
    own.lines.node.hidden = true;
    status.textContent = "Asking the service …";
    // On a phone the answer would come below what is seen.
    if (status.getBoundingClientRect().top > innerHeight * 0.6) status.scrollIntoView();
    shell.link(spec.id, values());
    try {
      const told = await spec.run(own, values(), look);
      if (own === view) status.textContent = told;
    } catch (error) {
      if (own.abort.signal.aborted) return;
      status.textContent = "";
      own.node.replaceChildren(own.failure(error));
      mark(form.inputs, error.problem.errors ?? []);
    }
    own.lines.node.hidden = false;
  }

  const examples = spec.examples.map(([label, given]) => el("button", { type: "button", class: "example", onclick: () => look(given) }, label));
  const root = el("div", null,
    el("p", { class: "question" }, spec.question),
    el("div", { class: "examples", role: "group", "aria-label": "Examples" }, el("span", null, "Try:"), examples),
    el("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); start(); } },
      form.node,
      field("Model", model, spec.modelHint ?? "The network that answers."),
      el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, spec.action), copyButton("Copy link", () => location.href))),
    status, outcome);
  return { root, run, fill, models: () => model.replaceChildren(...modelOptions(shell.models(), spec.task)) };
}

/** The inputs that the errors name are marked, for eyes and for screen readers. */
function mark(inputs, errors) {
  const wrong = new Set(errors.map(place).flatMap(({ field: name, list }) => [name, list]));
  for (const [name, input] of Object.entries(inputs)) {
    if (wrong.has(name)) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

/** A share as it stands in a sentence. */
export function percent(share) {
  if (share > 0.999) return "more than 99.9 %";
  return `${number(share * 100, share < 0.1 || share > 0.99 ? 1 : 0)} %`;
}

/** Probabilities near 0 or 1 hardly move; the network's output does. `fetchScale` gives the nodes of a scale. */
export async function scaleChoice(view, first, fetchScale) {
  const select = el("select", null,
    el("option", { value: "probability" }, "probability"),
    el("option", { value: "logit" }, "network's output (logit)"));
  select.value = first;
  const fill = async () => [await fetchScale(select.value)].flat(Infinity).filter(Boolean);
  const body = el("div", { "aria-live": "polite" }, await fill());
  select.addEventListener("change", () => fill().then(
    (nodes) => body.replaceChildren(...nodes),
    (error) => view.abort.signal.aborted || body.replaceChildren(view.failure(error))));
  return [field("Effects on the", select, "The logit shows what a probability near 0 or 1 hides."), body];
}
