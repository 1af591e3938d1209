// Expression: which mRNA level does this promoter imply?

import { gauge, legend, promoterPicture } from "./draw.js";
import { el, field, number, save, scrolling } from "./dom.js";
import { read, textField } from "./input.js";
import { figure, many, warnings } from "./tool.js";
import { sortable } from "./table.js";
import { worth } from "./worth.js";

const PROMOTER = "TCCACATGCTGCTCGGCCTGAAAAGGCAGTGGGGAGCCGGAGGGGAGGCAGAGATCGCGAGCGAGGCACCAGCCTGCAGCCGGCCC";
const SHORT = "CCTTACTTGTCATGGCGACTGTCCAGCTTTGTGCCAGGAGCC";

// What may be known of the transcript; the model's card says what its version reads.
const FEATURES = {
  measured: "Measured half-life, as a z-score over genes (−6 to 6)",
  utr5_length: "Length of the 5′ untranslated region, log10(nt + 0.1)",
  cds_length: "Length of the coding sequence, log10(nt + 0.1)",
  utr3_length: "Length of the 3′ untranslated region, log10(nt + 0.1)",
  intron_length: "Length of all introns, log10(nt + 0.1)",
  utr5_gc: "Share of G and C in the 5′ untranslated region, 0 to 1",
  cds_gc: "Share of G and C in the coding sequence, 0 to 1",
  utr3_gc: "Share of G and C in the 3′ untranslated region, 0 to 1",
  orf_exon_density: "Exons per 1,000 nt of coding sequence, log10(exons + 0.1)",
};

const EXAMPLES = [
  ["a promoter of 86 letters", { promoter: PROMOTER, tss: "49" }],
  ["the same, with its half-life", { promoter: PROMOTER, tss: "49", measured: "-0.4" }],
  ["with two miRNAs (miREx)", { promoter: PROMOTER, tss: "49", measured: "-0.4", mirnas: "hsa-miR-34a-5p\nhsa-let-7b-5p", model: "mirex@public_windows" }],
  ["two in FASTA", { promoter: `>first\n${PROMOTER}\n>second\n${SHORT}${SHORT.slice(0, 30)}\n`, tss: "49" }],
];

function form() {
  const promoter = textField("Promoter, sense strand, 5′ to 3′",
    "The letters round the start of transcription, FASTA, or a table with the columns promoter and tss. The default model reads 249 letters before the start and 50 behind it, or what there is of them; it was trained on no less than 49 before and 10 behind.", 5, ".fa,.fasta,.csv,.tsv,.txt,.gz");
  promoter.area.classList.add("sequence");
  const tss = el("input", { type: "number", min: "0", max: "19999", value: "" });
  const features = Object.fromEntries(Object.keys(FEATURES).map((name) => [name, el("input", { type: "number", step: "any" })]));
  const mirnas = el("textarea", { rows: "3", spellcheck: "false" });
  const more = el("details", null, el("summary", null, "What else is known of the gene (optional; for one gene)"),
    el("div", { class: "grid" }, Object.entries(FEATURES).map(([name, label]) => field(label, features[name]))),
    field("miRNAs that target the gene, one a line", mirnas, "Names as on the model's card, for example hsa-miR-34a-5p; a level may follow the name, 1 where none does."));
  return {
    node: el("div", null, promoter.node, field("Start of transcription", tss, "Its place in the promoter, counted from 0; for FASTA the same in each record."), more),
    inputs: { promoter: promoter.area, tss },
    values: () => ({
      promoter: promoter.area.value, tss: tss.value, mirnas: mirnas.value.trim(),
      ...Object.fromEntries(Object.entries(features).map(([name, input]) => [name, input.value])),
    }),
    fill: (given) => {
      promoter.area.value = given.promoter ?? "";
      tss.value = given.tss ?? "";
      mirnas.value = given.mirnas ?? "";
      for (const [name, input] of Object.entries(features)) input.value = given[name] ?? "";
      more.open = Boolean(given.mirnas) || Object.keys(features).some((name) => given[name]);
    },
  };
}

/** The gene as the API takes it; what was not filled in is not sent. */
function geneOf(row, values) {
  const features = Object.fromEntries(Object.keys(FEATURES).filter((name) => values[name]).map((name) => [name, Number(values[name])]));
  const mirnas = Object.fromEntries((values.mirnas ?? "").split("\n").filter((line) => line.trim()).map((line) => {
    const [name, level] = line.trim().split(/[\s,;=]+/);
    return [name, level === undefined ? 1 : Number(level)];
  }));
  const tss = row.tss ?? values.tss;
  return {
    id: row.id,
    promoter: row.promoter,
    ...(tss === "" ? {} : { tss: Number(tss) }),
    ...(Object.keys(features).length ? { half_life_features: features } : {}),
    ...(Object.keys(mirnas).length ? { mirnas } : {}),
  };
}

function verdict({ model, results: [result] }) {
  const level = result.log10_expression;
  const above = 10 ** level;
  return el("div", { class: "card" },
    figure("Level of the mRNA, log10", number(level, 2),
      `As a plain number ${number(above, above < 10 ? 2 : 0)}, in the unit of the model's card (below) and with its offset.`,
      gauge(level, { low: -1, high: 3, label: `Level ${number(level, 2)} on a line from −1 to 3` })),
    el("p", { class: "hint" }, `Answered by ${model.name}@${model.version}. It is a level over many tissues, not that of one; there is no threshold.`));
}

function effectsOf(result) {
  const named = (kind, effects) => Object.entries(effects).map(([name, value]) => [kind, name, value, "–"]);
  return [
    ...result.promoter.map(({ start, end, n_mask: masked, shuffle }) => ["promoter", `${start} to ${end - 1}`, masked, shuffle ?? "–"]),
    ...named("known of the transcript", result.half_life_features), ...named("miRNA", result.mirnas),
  ];
}

function explanation({ results: [result] }, gene) {
  const rows = effectsOf(result);
  const others = rows.filter(([kind]) => kind !== "promoter");
  const csv = ["what,which,effect_left_out,effect_shuffled", ...rows.map((cells) => cells.map((value) => (value === "–" ? "" : value)).join(","))].join("\n");
  return [
    el("p", null, "Bars: by how much the level (log10) falls where a part of the promoter is hidden from the network. 0.3 is a factor of two."),
    legend("the part raises the level", "the part lowers it"),
    scrolling("Effects of the parts of the promoter", promoterPicture(gene.promoter.toUpperCase(), gene.tss, result.promoter)),
    others.length ? el("ul", null, others.map(([kind, name, value]) => el("li", null, `${kind}, ${name}: ${value > 0 ? "+" : ""}${number(value, 3)}`))) : null,
    el("details", null, el("summary", null, "The numbers of this picture"),
      el("button", { type: "button", class: "quiet", onclick: () => save("effects.csv", new Blob([csv, "\n"], { type: "text/csv" })) }, "Download CSV"),
      sortable("Effects on the level, log10", ["what", "which", "left out", "shuffled"].map((name) => ({ name })), rows)),
  ];
}

async function one(view, row, values) {
  const gene = geneOf(row, values);
  const body = { ...(values.model ? { model: values.model } : {}), genes: [gene] };
  const reply = await view.json("predict", "v1/expression/predict", body);
  const [result] = reply.results;
  view.show(verdict(reply), warnings(result), worth(reply.model));
  view.part("What decides", "Each part is left out, and the gene predicted again …",
    async () => explanation(await view.json("explain", "v1/expression/explain", body), gene));
  return `Level ${number(result.log10_expression, 2)} (log10).`;
}

async function several(view, input, { tss, model }, look) {
  const call = { path: "v1/expression/predict", type: input.type, body: input.body, query: { ...input.query, tss, model } };
  const reply = await many(view, call, {
    name: "genes", rows: input.rows, look: (row) => look({ promoter: row.promoter, tss: row.tss ?? tss }),
    columns: [
      { name: "id", of: (result) => result.id },
      { name: "level, log10", of: (result) => result.log10_expression },
      { name: "warnings", of: (result) => result.warnings.join("; ") },
    ],
  });
  view.show(worth(reply.model));
  return `${reply.results.length} genes are predicted.`;
}

async function run(view, values, look) {
  const text = values.promoter.trim();
  const bare = /^[a-z\s]*$/i.test(text) && !/\bpromoter\b/i.test(text);
  if (bare) return one(view, { promoter: text.replace(/\s/g, "") }, values);
  const input = read(text, ["promoter"]);
  if (input.kind === "letters") return one(view, { promoter: text }, values);
  if (input.kind === "fasta" && input.rows.length === 1) return one(view, input.rows[0], values);
  return several(view, input, values, look);
}

export default {
  id: "expression",
  title: "Expression",
  task: "expression",
  question: "Which mRNA level does this promoter imply? A level, and the parts of the promoter that decide.",
  action: "Predict",
  examples: EXAMPLES,
  form,
  run,
};
