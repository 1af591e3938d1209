// What a score is worth: the model's own figures beside those of simple methods, out of its card.

import { base, card } from "./api.js";
import { el, number, scrolling } from "./dom.js";

// For each question the figure that its card leads with, and what it means.
const METRICS = {
  target_site: {
    name: "average precision",
    rows: "pairs",
    meaning: "Average precision says how far true pairs stand above false ones in a ranked list: 1 is perfect, the share of true pairs is guessing.",
  },
  pre_mirna: {
    name: "accuracy",
    rows: "hairpins",
    meaning: "Accuracy is the share of hairpins that are called right.",
  },
  expression: {
    name: "r² (squared Pearson)",
    rows: "genes",
    meaning: "r² is the share of the differences between genes that the prediction follows: 1 is perfect, 0 is none.",
  },
};

const plain = (name) => name.replaceAll("_", " ");

const metric = (measured, name) => measured.metrics?.find((one) => one.name === name && one.value !== null);

/** The tests of a card: not the rows that chose the epoch, and not the same rows cut shorter. */
function tests(model, name) {
  const rows = (model.metrics.sets ?? []).filter((set) => set.name !== "validation" && !set.name.includes(", cut to"));
  return rows.map((set) => {
    const others = (set.baselines ?? []).map((other) => ({ name: other.name, of: metric(other, name) })).filter(({ of }) => of);
    return { set, own: metric(set.model, name), best: others.sort((a, b) => b.of.value - a.of.value)[0] };
  }).filter(({ own }) => own);
}

const interval = (own) => `${number(own.value)} (95 % interval ${number(own.low)} to ${number(own.high)})`;

function sentence({ set, own, best }, { name, rows }) {
  const positives = set.model.classes?.positives;
  const what = positives ? `${rows}, ${positives} of them positive` : rows;
  const beside = best ? `; the best other method, “${best.name}”, has ${number(best.of.value)}` : "";
  return `In the test “${plain(set.name)}” (${set.model.rows} ${what}) the model has ${name} ${interval(own)}${beside}.`;
}

/** How far off a level usually is: the root mean square error, as a factor. */
function error(set) {
  const rmse = metric(set.model, "RMSE");
  if (!rmse) return null;
  return el("p", null, `There a prediction is off by ${number(rmse.value, 2)} (root mean square error, log10): by a factor of ${number(10 ** rmse.value, 1)}, up or down.`);
}

/** Of test rows with a probability like this one, how many were positive. */
function calibration(probability, { set }, yes) {
  const bins = set.model.classes?.reliability;
  if (probability === undefined || bins?.length !== 10) return null;
  const bin = Math.min(9, Math.floor(probability * 10));
  const { rows, observed } = bins[bin];
  // Few rows tell little, and a small test is one that was picked for how hard it is.
  if (rows < 10 || set.model.rows < 200) return null;
  const range = `between ${bin / 10} and ${(bin + 1) / 10}`;
  return el("p", null, `Of the ${rows} rows of “${plain(set.name)}” with a probability ${range}, as here, ${Math.round(observed * 100)} % ${yes}.`);
}

function allTests(found, name) {
  const row = ({ set, own, best }) => el("tr", null,
    el("th", { scope: "row" }, plain(set.name)),
    el("td", { class: "number" }, set.model.rows),
    el("td", { class: "number" }, interval(own)),
    el("td", null, best ? `${number(best.of.value)}, ${best.name}` : "–"));
  return scrolling("Every test of the model", el("table", null,
    el("caption", null, `${name} on every test`),
    el("thead", null, el("tr", null, ["test", "rows", "this model", "best other method"].map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", null, found.map(row))));
}

const SCORES = {
  Spearman: "order of all genes: 1 is perfect, 0 is none",
  AUROC: "a gene that goes down stands above one that does not: 1 is always, 0.5 is guessing",
  "average precision": "how pure the top of the list is",
};

function measuredOn({ genes, experiments, groups, base_rate: share }) {
  const down = share === undefined ? "" : ` On average ${number(share * 100, 0)} % of the genes go down, which is the average precision of guessing.`;
  return `${experiments} over-expression experiments of ${groups} groups of miRNAs with one seed, ${genes} genes: each group was left out of the fit when its experiments were measured.${down}`;
}

/** A sum over sites is measured by how it puts genes in order; its card has one test, and other methods on the same rows. */
function leftOut({ metrics }) {
  const own = (metrics?.model?.metrics ?? []).filter(({ value }) => typeof value === "number");
  if (!own.length) return el("p", null, "The card of this version tells no figures yet.");
  const best = (name) => (metrics.baselines ?? []).map((other) => ({ name: other.name, of: metric(other, name) })).filter(({ of }) => of)
    .sort((a, b) => b.of.value - a.of.value)[0];
  const row = (one) => {
    const beside = best(one.name);
    return el("tr", null, el("th", { scope: "row" }, one.name), el("td", null, interval(one)),
      el("td", null, beside ? `${number(beside.of.value)}, ${beside.name}` : "–"), el("td", null, SCORES[one.name] ?? ""));
  };
  return [
    metrics.measured_on ? el("p", null, measuredOn(metrics.measured_on)) : null,
    scrolling("Figures of the model", el("table", null,
      el("caption", null, "Means over experiments whose miRNAs the fit did not see"),
      el("thead", null, el("tr", null, ["figure", "this model", "best other method", "what it says"].map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", null, own.map(row)))),
  ];
}

function wholeCard(model) {
  return [
    el("p", null, el("a", { href: new URL(`v1/models/${model.name}@${model.version}`, base).href }, "The card with all its figures, as JSON")),
    el("pre", { class: "card", tabindex: "0", role: "region", "aria-label": "Card of the model" }, model.card),
  ];
}

function body(model, probability, yes) {
  if (model.task === "repression") return [leftOut(model), el("details", null, el("summary", null, "The whole card of the model"), wholeCard(model))];
  const kind = METRICS[model.task];
  const found = tests(model, kind.name);
  const weakest = found.reduce((low, test) => (test.own.value < low.own.value ? test : low), found[0]);
  const told = found.length ? [...new Set([found[0], weakest])] : [];
  return [
    el("p", null, told.map((test) => sentence(test, kind)).join(" "), " ", kind.meaning),
    told.map((test) => [calibration(probability, test, yes), error(test.set)]),
    el("details", null, el("summary", null, "Every test, and the whole card of the model"),
      allTests(found, kind.name),
      wholeCard(model)),
  ];
}

/** A section that fills when the card arrives. `yes` is what the positive class does, `title` what is asked about. */
export function worth(ref, probability, yes, title = "What this is worth") {
  const name = `${ref.name}@${ref.version}`;
  const section = el("section", { class: "worth" }, el("h2", null, title), el("p", null, "Reading the model's card …"));
  const fill = (...nodes) => section.replaceChildren(section.firstChild, ...nodes.flat(Infinity).filter(Boolean));
  card(name).then(
    (model) => fill(body(model, probability, yes)),
    (refusal) => fill(el("p", null, `The card of ${name} could not be read: ${refusal.message}`)),
  );
  return section;
}

/** The models of a question, for the list in its form. */
export function modelOptions(models, task) {
  const own = models.filter((model) => model.task === task);
  const first = own.find((model) => model.default);
  const named = (model) => `${model.name}@${model.version}`;
  return [
    el("option", { value: "" }, first ? `${named(first)} (default)` : "default"),
    ...own.filter((model) => model !== first).map((model) => el("option", { value: named(model), title: model.description }, named(model))),
  ];
}
