// Pair: does this miRNA bind this site?

import { duplexPicture, gauge, legend } from "./draw.js";
import { el, field, number, probability, scrolling } from "./dom.js";
import { read, textField } from "./input.js";
import { apiPicture, effectNumbers, figure, many, percent, scaleChoice, warnings } from "./tool.js";
import { worth } from "./worth.js";

const LET7 = "UGAGGUAGUAGGUUGUAUAGUU";

// Bartel's classes (Cell 2009, 2018).
const SITE_TYPES = {
  "8mer": "8mer: the miRNA's positions 2 to 8 pair, and an A stands opposite position 1; the strongest class",
  "7mer-m8": "7mer-m8: the miRNA's positions 2 to 8 pair",
  "7mer-A1": "7mer-A1: the miRNA's positions 2 to 7 pair, and an A stands opposite position 1",
  "6mer": "6mer: the miRNA's positions 2 to 7 pair",
  "offset-6mer": "offset 6mer: the miRNA's positions 3 to 8 pair; the weakest class",
  none: "none: the site holds no canonical match of the miRNA's seed",
};

const EXAMPLES = [
  ["let-7a and a bulged site", { mirna: LET7, site: "GCACAGCCUAUUGAACUACCUCA" }],
  ["miR-20a and a long match", { mirna: "UAAAGUGCUUAUAGUGCAGGUAG", site: "GACCUGCAAAAGUAAGCACUUUAGG" }],
  ["let-7a and a site that it does not bind", { mirna: LET7, site: "AAAAAAAAAAAAAAAAAAAAAAAAA" }],
  ["a table of five", {
    rows: `id,mirna,site
let-7a full,${LET7},AACUAUACAACCUACUACCUCA
let-7a bulged,${LET7},GCACAGCCUAUUGAACUACCUCA
let-7a seed only,${LET7},GGGAACCGGAACCGGCUACCUCAGG
miR-20a,UAAAGUGCUUAUAGUGCAGGUAG,GACCUGCAAAAGUAAGCACUUUAGG
poly-A,${LET7},AAAAAAAAAAAAAAAAAAAAAAAAA
`,
  }],
];

function letters() {
  return el("input", { type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off", class: "sequence" });
}

function form() {
  const [mirna, site] = [letters(), letters()];
  const rows = textField("miRNA and site of each pair", "A table with the columns mirna and site, and id if you like (CSV or TSV); or two sequences a line.", 7, ".csv,.tsv,.txt,.gz");
  const radio = (value, label) => {
    const input = el("input", { type: "radio", name: "pairs", value, onchange: () => choose(value) });
    return { input, node: el("label", null, input, label) };
  };
  const [one, several] = [radio("one", "One pair"), radio("many", "Many pairs")];
  const single = el("div", { class: "two" },
    field("miRNA, 5′ to 3′", mirna, "15 to 30 letters, RNA or DNA; isomiRs too."),
    field("Target site, 5′ to 3′", site, "6 to 100 letters, as on the transcript."));
  const choose = (value) => {
    one.input.checked = value === "one";
    several.input.checked = value === "many";
    single.hidden = value !== "one";
    rows.node.hidden = value === "one";
  };
  choose("one");
  return {
    node: el("div", null, el("fieldset", { class: "choice" }, el("legend", null, "How many?"), one.node, several.node), single, rows.node),
    inputs: { mirna, site },
    values: () => (one.input.checked ? { mirna: mirna.value.trim(), site: site.value.trim() } : { rows: rows.area.value }),
    fill: (given) => {
      choose(given.rows === undefined ? "one" : "many");
      if (given.rows !== undefined) rows.area.value = given.rows;
      else [mirna.value, site.value] = [given.mirna ?? "", given.site ?? ""];
    },
  };
}

/** The probability where another share of the pairs binds than the half of the training rows. */
function atPrevalence(probability_, share) {
  const odds = (probability_ / (1 - probability_)) * (share / (1 - share));
  return Number.isFinite(odds) ? odds / (1 + odds) : 1;
}

function prevalence(value) {
  const input = el("input", { type: "number", min: "0.01", max: "99", step: "any", value: "10" });
  const told = el("output");
  const draw = () => {
    const share = Number(input.value) / 100;
    told.textContent = share > 0 && share < 1 ? percent(atPrevalence(value, share)) : "–";
  };
  input.addEventListener("input", draw);
  draw();
  return el("p", { class: "prevalence" }, "The probability assumes that half of all pairs bind. ",
    el("label", null, "Where only ", input, " % of the candidates bind"), ", this pair binds with a probability of ", told, ".");
}

function verdict(view, { model, results: [result] }) {
  const threshold = view.threshold(model);
  const called = result.interacts ? "It reaches the threshold: called bound." : "It is below the threshold: not called bound.";
  const picture = gauge(result.probability, { threshold, label: `Probability ${probability(result.probability)} between 0 and 1, threshold ${threshold ?? "unknown"}` });
  return el("div", { class: "card" },
    figure("Probability that the miRNA binds the site", probability(result.probability), called, picture),
    el("p", null, el("strong", null, "Seed match "), SITE_TYPES[result.site_type] ?? result.site_type, ". It is read from the sequences, not predicted."),
    prevalence(result.probability),
    el("p", { class: "hint" }, `Answered by ${model.name}@${model.version}. That a site is bound does not say that it represses.`));
}

/** The seed is at the right: where the picture is wider than the window, it is what is seen first. */
function scrolledToSeed(picture) {
  const node = scrolling("The duplex and its effects", picture);
  requestAnimationFrame(() => (node.scrollLeft = node.scrollWidth));
  return node;
}

function explanation(reply, { mirna, site }, scale) {
  const [result] = reply.results;
  const energy = result.mfe_kcal_per_mol;
  const structure = energy === null ? "No two letters pair." : `Free energy of the duplex ${number(energy, 1)} kcal/mol (nearest neighbours, 37 °C): the structure is computed, not read out of the network.`;
  return [
    el("p", null, "Bars: what is lost where a letter and its neighbours are hidden from the network. Squares: what is lost where one letter is replaced by A, C, G or U. ",
      scale === "logit" ? "Both on the scale of the network's output (the logit)." : "Both are differences of the probability."),
    legend("the letter supports binding", "the letter opposes binding"),
    scrolledToSeed(duplexPicture(result, mirna, site)),
    el("p", null, structure, " An effect shows what the network reads; a network that learned a shortcut shows the shortcut."),
    result.drawing ? el("pre", { tabindex: "0", role: "region", "aria-label": "The duplex as text" }, result.drawing) : null,
    effectNumbers(result, [["miRNA", "mirna", mirna], ["site", "site", site]]),
  ];
}

async function one(view, { mirna, site, model }) {
  const named = model ? { model } : {};
  const reply = await view.json("score", "v1/target-sites/score", { ...named, pairs: [{ mirna, site }] });
  const [result] = reply.results;
  view.show(verdict(view, reply), warnings(result), worth(reply.model, result.probability, "bind"));
  const clean = { mirna: mirna.toUpperCase().replaceAll("T", "U"), site: site.toUpperCase().replaceAll("T", "U") };
  const body = (scale, methods) => ({ ...named, methods, ...(scale === "logit" ? { scale } : {}), pairs: [{ mirna, site }] });
  const explain = async (scale) => {
    const told = await view.json(`explain (${scale})`, "v1/target-sites/explain", body(scale, ["n_mask", "substitution"]));
    return explanation(told, clean, scale);
  };
  view.part("How they pair, and which letters decide", "Each letter is changed, and the pair scored again …", async () => {
    const call = { path: "v1/target-sites/explain", type: "application/json", body: JSON.stringify(body("probability", ["n_mask"])) };
    return [await scaleChoice(view, "probability", explain), apiPicture(view, "pair", call)];
  });
  return `Probability ${probability(result.probability)}: ${result.interacts ? "called bound" : "not called bound"}. Seed match ${result.site_type}.`;
}

async function several(view, { rows, model }, look) {
  const input = read(rows, ["mirna", "site"]);
  const call = { path: "v1/target-sites/score", type: input.type, body: input.body, query: { ...input.query, model } };
  const reply = await many(view, call, {
    name: "pairs", rows: input.rows, look: ({ mirna, site }) => look({ mirna, site }),
    columns: [
      { name: "id", of: (result) => result.id },
      { name: "probability", hint: "that the miRNA binds the site", show: probability, of: (result) => result.probability },
      { name: "called bound", hint: "whether the probability reaches the model's threshold", of: (result) => (result.interacts ? "yes" : "no") },
      { name: "seed match", of: (result) => result.site_type },
      { name: "warnings", of: (result) => result.warnings.join("; ") },
    ],
  });
  view.show(worth(reply.model));
  const bound = reply.results.filter((result) => result.interacts).length;
  return `${bound} of ${reply.results.length} pairs reach the threshold${view.threshold(reply.model) === undefined ? "" : ` ${view.threshold(reply.model)}`}.`;
}

export default {
  id: "pair",
  title: "miRNA × site",
  task: "target_site",
  question: "Does this miRNA bind this site? A probability, the seed match, the duplex, and the letters that decide.",
  action: "Score",
  examples: EXAMPLES,
  form,
  run: (view, values, look) => (values.rows === undefined ? one(view, values) : several(view, values, look)),
};
