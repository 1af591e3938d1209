// Scan: where are the sites of these miRNAs on these 3'UTRs, and which go down most?

import { card } from "./api.js";
import { el, field, number, probability } from "./dom.js";
import { sequences, textField } from "./input.js";
import { keyOf, matrix } from "./matrix.js";
import { pairNodes, plural } from "./sites.js";
import { downloads, sortable, TABLES } from "./table.js";
import { worth } from "./worth.js";

const PATH = "v1/target-sites/scan";
const LET7 = "UGAGGUAGUAGGUUGUAUAGUU";
const LEAST = "0.98";

// Made up, so that each class of site stands there once.
const ONE_UTR = `>made-up
GCAGUUAACAUUGUCAGAUUAGCAUUAACUAUACAUCCUACUACCUCAAUUUGACGAAUAAAGUCUAAAGCAUUAGCCA
UUACUACCUCGUAUAAAUUGCAUGACAAAUGUACUACCUGAAUUCAGUAAUAUUGCAAUAGCUUUAAAGCUGAUAAUGC
AGAUUUAAGGUACCUCUUAACAUUGACAGAAUUACAGUUAAUAAAGCAUUGA
`;

const THREE = `>let-7a
${LET7}
>miR-21
UAGCUUAUCAGACUGAUGUUGA
>miR-124
UAAGGCACGCGGUGAAUGCC
`;

const FIVE = `>UTR-A
GCAGAUUAACUACCUCAAUUUAGACAUAAUUGCUACCUCAUUAGCAUUAAUUGACUUAAAUAAAGCAUU
>UTR-B
UUAGCAAUAAGCUAAAUUGAUAGUGCCUUAAUUAAUCAGUUAGUGCCUUAAUAGAUUCAAUAAAGGCAU
>UTR-C
CAGUUAAUAAGCUAUUAGAAUAAGCUAAAUUAGCUACCUCGUAAUAUUAGACAAUUAAUAAAGUUACAG
>UTR-D
GGCAUUAGUGCCUAGCCGAUUGGCAGCUACCUUAGGCAUCAGCUAGGACAGGCUUAAUAAAGCGACCGA
>UTR-E
GCAGUUGGACCAGGUUCAGGCAUUGACCAGUUAGGACCGAUAGCCAGUUGACAGGUUAAUAAACGGAUC
`;

const EXAMPLES = [
  ["let-7a on a made-up 3′UTR", { mirnas: `>let-7a\n${LET7}\n`, transcripts: ONE_UTR }],
  ["the same, with sites without a seed match", { mirnas: `>let-7a\n${LET7}\n`, transcripts: ONE_UTR, seedless: "yes", least: "0.5" }],
  ["3 miRNAs × 5 3′UTRs", { mirnas: THREE, transcripts: FIVE }],
];

function form() {
  const mirnas = textField("miRNAs, 5′ to 3′", "FASTA, or letters one a line, a name before them if you like; 15 to 30 letters, up to 100 miRNAs.", 5, ".fa,.fasta,.fas,.csv,.tsv,.txt,.gz");
  const transcripts = textField("3′UTRs, 5′ to 3′",
    "The same, up to 1,000 of up to 100,000 letters. Of a whole mRNA say in its FASTA head how many letters come before the 3′UTR: >name cds_end=1234.", 5, ".fa,.fasta,.fas,.csv,.tsv,.txt,.gz");
  for (const { area } of [mirnas, transcripts]) area.classList.add("sequence");
  const seedless = el("input", { type: "checkbox", onchange: () => choose() });
  const least = el("input", { type: "number", min: "0", max: "1", step: "any", value: LEAST });
  const floor = field("Least binding probability of those", least, "From 0 to 1. Less finds more sites, and more of them by chance.");
  const choose = () => (floor.hidden = !seedless.checked);
  choose();
  return {
    node: el("div", null,
      el("div", { class: "two" }, mirnas.node, transcripts.node),
      el("p", null, el("label", { class: "check" }, seedless, "Also look for sites without a seed match (slower; they hardly repress)")), floor),
    inputs: { mirnas: mirnas.area, transcripts: transcripts.area, min_probability: least },
    values: () => ({
      mirnas: mirnas.area.value.trim(), transcripts: transcripts.area.value.trim(),
      seedless: seedless.checked ? "yes" : "", least: seedless.checked ? least.value : "",
    }),
    fill: (given) => {
      mirnas.area.value = given.mirnas ?? "";
      transcripts.area.value = given.transcripts ?? "";
      seedless.checked = Boolean(given.seedless);
      least.value = given.least || LEAST;
      choose();
    },
  };
}

const named = (ref) => `${ref.name}@${ref.version}`;

/** What was read in another way than it stands there. */
function readAs(entries, what) {
  const [one] = entries;
  if (!one?.joined) return null;
  return el("p", { class: "hint" }, `The ${one.joined} lines of ${what} are of one width, and were read as one sequence of ${one.sequence.length} letters. If they are several, put a line >name before each.`);
}

/** Files of the same answer. A setting stands in the URL or in the body, never in both. */
function files(view, call) {
  const failed = (error) => view.show(view.failure(error));
  const sites = [...TABLES, ["BED", "text/x-bed", "bed"], ["GFF3", "text/x-gff3", "gff3"]];
  for (const [label, , format] of sites) view.lines.add(`sites as ${label}`, { ...call, query: { format } });
  const scores = { ...call, query: { sites: false } };
  return el("div", null,
    el("p", { class: "hint" }, "Files of all sites; positions count from 0, but in GFF3 from 1."),
    downloads("sites", call, failed, sites),
    el("p", { class: "hint" }, "Files of the scores of each 3′UTR."),
    downloads("scores", scores, failed));
}

/** Every score, the most repressed of each miRNA first. */
function scoreTable(scores, ranks, look) {
  const rankOf = (score) => ranks.get(keyOf(score.mirna, score.transcript));
  const place = new Map([...new Set(scores.map((score) => score.mirna))].map((mirna, index) => [mirna, index]));
  const order = [...scores].sort((a, b) => place.get(a.mirna) - place.get(b.mirna) || rankOf(a) - rankOf(b));
  const seedless = scores[0].seedless_sites !== undefined;
  const sum = { measured: true, show: (value) => number(value, 3) };
  const columns = [
    { name: "miRNA" }, { name: "rank", hint: "among the 3′UTRs of this miRNA" }, { name: "3′UTR" },
    { name: "score", hint: "higher is more repression; compare within a miRNA", ...sum },
    { name: "canonical only", hint: "the score without offset 6mers", ...sum }, { name: "canonical sites", hint: "8mers, 7mers and 6mers" }, { name: "offset 6mers" },
    ...(seedless ? [{ name: "without seed match" }] : []),
    { name: "best binding", hint: "the highest binding probability of all windows that were looked at", measured: true, show: probability },
    { name: "warnings" }, { name: "sites" },
  ];
  const rows = order.map((score) => [
    score.mirna, rankOf(score), score.transcript, score.rank_score, score.repression_score, score.canonical_sites, score.weak_sites,
    ...(seedless ? [score.seedless_sites] : []), score.best_probability, score.warnings.join("; "),
    () => el("button", { type: "button", class: "quiet", onclick: () => look(score), "aria-label": `Sites of ${score.mirna} on ${score.transcript}` }, "Show"),
  ]);
  return sortable(`Scores of ${plural(scores.length, "pair")} of a miRNA and a 3′UTR`, columns, rows);
}

function several(view, reply, { mirnas, transcripts }, nodesOf, call) {
  const scores = reply.transcripts;
  const detail = el("div", { class: "result", "aria-live": "polite" });
  const show = (score) => detail.replaceChildren(el("h2", null, `${score.mirna} on ${score.transcript}`), ...nodesOf(score));
  const look = (score) => {
    show(score);
    const { top } = detail.getBoundingClientRect();
    if (top < 0 || top > innerHeight * 0.7) detail.scrollIntoView();
  };
  const map = matrix(scores, mirnas.map(({ id }) => id), transcripts.map(({ id }) => id), look);
  show(map.chosen);
  const fromTable = (score) => {
    map.mark(score);
    look(score);
  };
  view.show(map.node, detail, el("h2", null, "All scores"), files(view, call), scoreTable(scores, map.ranks, fromTable));
  const { mirna, transcript, rank_score: most } = map.chosen;
  const first = most > 0 ? `${mirna} represses ${transcript} most (score ${number(most, 2)})` : `${mirna} represses none of them`;
  return `${plural(mirnas.length, "miRNA")} on ${plural(transcripts.length, "3′UTR")}: ${first}.`;
}

async function run(view, values) {
  const mirnas = sequences(values.mirnas, "miRNA");
  const transcripts = sequences(values.transcripts, "UTR");
  view.names = { mirnas: mirnas.map(({ id }) => id), transcripts: transcripts.map(({ id }) => id) };
  const body = {
    ...(values.model ? { model: values.model } : {}),
    ...(values.seedless ? { seedless: true, min_probability: Number(values.least || LEAST) } : {}),
    mirnas: mirnas.map(({ id, sequence }) => ({ id, sequence })),
    transcripts: transcripts.map(({ id, sequence, cds_end }) => ({ id, sequence, ...(cds_end === undefined ? {} : { cds_end }) })),
  };
  const call = { path: PATH, type: "application/json", body: JSON.stringify(body) };
  const reply = await (await view.ask("scan", call)).json();
  const models = { repression: named(reply.repression_model), binding: named(reply.model) };
  // The unit is told where the card has it; the score stands without it.
  const { unit } = await card(models.repression).then((model) => model.metrics ?? {}, () => ({}));
  const sitesOf = new Map(reply.transcripts.map((score) => [keyOf(score.mirna, score.transcript), []]));
  for (const site of reply.sites) sitesOf.get(keyOf(site.mirna, site.transcript)).push(site);
  const nodesOf = (score) => pairNodes(view, {
    mirna: mirnas.find(({ id }) => id === score.mirna),
    transcript: transcripts.find(({ id }) => id === score.transcript),
    found: sitesOf.get(keyOf(score.mirna, score.transcript)),
    score, unit, models,
  }).filter(Boolean);
  view.show(readAs(transcripts, "the 3′UTR"));
  let told;
  if (reply.transcripts.length > 1) {
    told = several(view, reply, { mirnas, transcripts }, nodesOf, call);
  } else {
    const [score] = reply.transcripts;
    view.show(...nodesOf(score), files(view, call));
    told = `Score ${number(score.rank_score, 2)}: ${plural(score.canonical_sites, "canonical site")}, ${plural(score.weak_sites, "offset 6mer")}${score.seedless_sites === undefined ? "" : `, ${score.seedless_sites} without a seed match`}.`;
  }
  view.show(worth(reply.repression_model, undefined, "", "What the score is worth"), worth(reply.model, undefined, "bind", "What the binding probabilities are worth"));
  return told;
}

export default {
  id: "scan",
  title: "miRNA × 3′UTR",
  task: "target_site",
  modelHint: "The network that says what binds; the score is of the model of repression.",
  question: "Where are the sites of these miRNAs on these 3′UTRs, and which 3′UTRs go down most? A score for each, and its sites.",
  action: "Scan",
  examples: EXAMPLES,
  form,
  run,
};
