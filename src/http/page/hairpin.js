// Hairpin: a mirtron or a canonical pre-miRNA?

import { gauge, legend, strandPicture } from "./draw.js";
import { el, number, probability, scrolling } from "./dom.js";
import { foldPicture } from "./fold.js";
import { read, textField } from "./input.js";
import { copyButton } from "./lines.js";
import { apiPicture, effectNumbers, figure, many, scaleChoice, warnings } from "./tool.js";
import { worth } from "./worth.js";

const LET7 = ">hsa-let-7a-1\nUGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA\n";
const MIR1224 = ">hsa-mir-1224\nGUGAGGACUCGGGAGGUGGAGGGUGGUGCCGCCGGGGCCGGGCGCUGUUUCAGCUCGCUUCUCCCCCCACCUCCUCUCUCCUCAG\n";
const MIR877 = ">hsa-mir-877\nGUAGAGGAGAUGGCGCAGGGGACACGGGCAAAGACUUGGGGGUUCCUGGGACCCUCAGACGUGUGUCCUCUUCUCCCUCCUCCCAG\n";

function form() {
  const { node, area } = textField("Hairpin, 5′ to 3′",
    "FASTA, a table with the column sequence, or the letters alone, one hairpin a line; 40 to 200 letters, cut as miRBase cuts them or at the ends of the mature arms.", 6, ".fa,.fasta,.fas,.csv,.tsv,.txt,.gz");
  area.classList.add("sequence");
  return {
    node,
    inputs: { sequence: area },
    values: () => ({ hairpins: area.value }),
    fill: (given) => (area.value = given.hairpins ?? ""),
  };
}

const ACCEPTORS = {
  at_end: "A splice acceptor (UAG or CAG after a tract of pyrimidines) stands at the very 3′ end, as in most mirtrons.",
  inside: "A splice acceptor (UAG or CAG after a tract of pyrimidines) stands a few letters before the 3′ end: a mirtron with a tail, or chance.",
  none: "No splice acceptor (UAG or CAG after a tract of pyrimidines) stands at the 3′ end or within 16 letters of it.",
};

function verdict(view, { model, results: [result] }) {
  const threshold = view.threshold(model);
  const value = result.mirtron_probability;
  const label = `Probability ${probability(value)} between 0 and 1, threshold ${threshold ?? "unknown"}`;
  const words = result.class === "mirtron"
    ? "It reaches the threshold: called a mirtron, cut out of its gene by splicing."
    : "It is below the threshold: called a canonical pre-miRNA, cut out by Drosha.";
  return el("div", { class: "card" },
    figure("Probability that the hairpin is a mirtron", probability(value), words, gauge(value, { threshold, label })),
    el("p", null, ACCEPTORS[result.splice_acceptor]),
    el("p", { class: "hint" }, `Answered by ${model.name}@${model.version}, which takes for granted that the sequence is one or the other.`));
}

function foldText(name, sequence, folded) {
  const text = `>${name}\n${sequence}\n${folded.dot_bracket}`;
  return el("details", null, el("summary", null, "Dots and brackets"), copyButton("Copy", () => text),
    el("pre", { class: "wide", tabindex: "0", role: "region", "aria-label": "Dots and brackets" }, text));
}

function effects(result, sequence, scale) {
  const what = scale === "logit" ? "the network's output (the logit)" : "the probability";
  return [
    el("p", null, `Bars: what ${what} loses where a letter and its neighbours are hidden from the network. Squares: where one letter is replaced by A, C, G or U. `,
      "The letters of the fold above have the colours of the bars."),
    legend("the letter speaks for a mirtron", "the letter speaks for a canonical pre-miRNA"),
    scrolling("Effect of each letter", strandPicture("hairpin", sequence, result)),
    effectNumbers(result, [["hairpin", "sequence", sequence]]),
  ];
}

/** The explanation takes seconds of a core, and is therefore asked for. */
function explanation(view, { sequence, named, value }, recolour) {
  const body = el("div", { "aria-live": "polite" });
  const call = (methods, scale) => ({
    path: "v1/pre-mirnas/explain", type: "application/json", body: JSON.stringify({ ...named, methods, scale, pre_mirnas: [{ sequence }] }),
  });
  const explain = async (scale) => {
    const { results: [result] } = await (await view.ask(`explain (${scale})`, call(["n_mask", "substitution"], scale))).json();
    recolour(result.importance.sequence);
    return effects(result, sequence, scale);
  };
  const start = async () => {
    body.textContent = "Each letter is changed, and the hairpin scored again: some seconds …";
    const scale = value < 0.01 || value > 0.99 ? "logit" : "probability";
    try {
      body.replaceChildren(...await scaleChoice(view, scale, explain), apiPicture(view, "hairpin", call(["n_mask"], scale)));
    } catch (error) {
      if (!view.abort.signal.aborted) body.replaceChildren(button, view.failure(error));
    }
  };
  const button = el("button", { type: "button", onclick: start }, "Show which letters decide (takes seconds)");
  body.append(button);
  return el("section", null, el("h2", null, "Which letters decide"), body);
}

async function one(view, { id, sequence }, model) {
  const named = model ? { model } : {};
  const reply = await view.json("classify", "v1/pre-mirnas/classify", { ...named, pre_mirnas: [{ id, sequence }] });
  const [result] = reply.results;
  view.show(verdict(view, reply), warnings(result), worth(reply.model, result.mirtron_probability, "are mirtrons"));
  const letters = sequence.toUpperCase().replaceAll("T", "U");
  const drawn = el("div");
  view.part("How it folds", "The hairpin is being folded …", async () => {
    const { results: [folded] } = await view.json("fold", "v1/hairpins/fold", { hairpins: [{ id, sequence }] });
    const colour = (effects) => drawn.replaceChildren(scrolling("The folded hairpin", foldPicture(letters, folded.dot_bracket, effects)));
    colour();
    view.show(explanation(view, { sequence: letters, named, value: result.mirtron_probability }, colour));
    const energy = folded.mfe_kcal_per_mol === null ? "Nothing pairs." : `Free energy ${number(folded.mfe_kcal_per_mol, 1)} kcal/mol: the structure of least free energy (nearest neighbours, 37 °C), as RNAfold finds it.`;
    return [drawn, el("p", null, energy), foldText(id ?? "hairpin", letters, folded)];
  });
  return `${result.class === "mirtron" ? "Mirtron" : "Canonical pre-miRNA"}: probability of a mirtron ${probability(result.mirtron_probability)}.`;
}

async function several(view, input, model, look) {
  const body = input.kind === "letters" ? { type: "application/json", body: JSON.stringify({ pre_mirnas: input.rows }) } : { type: input.type, body: input.body };
  const reply = await many(view, { path: "v1/pre-mirnas/classify", ...body, query: { ...input.query, model } }, {
    name: "hairpins", rows: input.rows, look: ({ id, sequence }) => look({ hairpins: `>${id ?? "hairpin"}\n${sequence}\n` }),
    columns: [
      { name: "id", of: (result) => result.id },
      { name: "class", of: (result) => result.class },
      { name: "mirtron probability", show: probability, of: (result) => result.mirtron_probability },
      { name: "splice acceptor", of: (result) => result.splice_acceptor },
      { name: "warnings", of: (result) => result.warnings.join("; ") },
    ],
  });
  view.show(worth(reply.model));
  const mirtrons = reply.results.filter((result) => result.class === "mirtron").length;
  return `${mirtrons} of ${reply.results.length} hairpins are called mirtrons.`;
}

async function run(view, { hairpins, model }, look) {
  const input = read(hairpins, ["sequence"]);
  const [only] = input.rows;
  // A table may have columns that only the API knows how to read.
  if (input.rows.length === 1 && only.sequence !== undefined && input.kind !== "table") return one(view, only, model);
  return several(view, input, model, look);
}

export default {
  id: "hairpin",
  title: "Hairpin",
  task: "pre_mirna",
  question: "Is this hairpin a mirtron or a canonical pre-miRNA? A probability, the fold, and the letters that decide.",
  action: "Classify",
  examples: [
    ["let-7a-1, canonical", { hairpins: LET7 }],
    ["miR-1224, a mirtron", { hairpins: MIR1224 }],
    ["three in FASTA", { hairpins: LET7 + MIR877 + MIR1224 }],
  ],
  form,
  run,
};
