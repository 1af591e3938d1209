// miRNAs × 3'UTRs: a heat map to sort and look into.

import { el, number, save, scrolling } from "./dom.js";
import { plural } from "./sites.js";

// More cells make a page slow, and nobody reads them there: the file has all.
const MOST_CELLS = 5000;
const LEAST_ROWS = 20;
const STEPS = 10;
// With more columns their names stand upright.
const FLAT_COLUMNS = 6;

export const keyOf = (mirna, transcript) => `${mirna}\t${transcript}`;

/** The place of each transcript among those of its miRNA, from 1; equal scores share the better one. */
export function ranked(scores, mirnas) {
  const ranks = new Map();
  for (const mirna of mirnas) {
    const own = scores.filter((score) => score.mirna === mirna).sort((a, b) => b.rank_score - a.rank_score);
    own.forEach((score, index) => {
      const before = own[index - 1];
      const equal = before?.rank_score === score.rank_score;
      ranks.set(keyOf(mirna, score.transcript), equal ? ranks.get(keyOf(mirna, before.transcript)) : index + 1);
    });
  }
  return ranks;
}

function wide(byPair, mirnas, order) {
  const lines = order.map((transcript) => [transcript, ...mirnas.map((mirna) => byPair.get(keyOf(mirna, transcript)).rank_score)]);
  return [["transcript", ...mirnas], ...lines].map((cells) => cells.join("\t")).join("\n");
}

/** The scale from no repression to the strongest colour. */
function scale(most) {
  const steps = Array.from({ length: STEPS }, (_, step) => el("span", { class: `heat-${step}` }));
  return el("p", { class: "scale" }, el("span", null, "0"), el("span", { class: "steps", "aria-hidden": "true" }, steps), el("span", null, number(most, 2)));
}

/** Arrow keys go from cell to cell. */
function onCellKey(event) {
  const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key] ?? [];
  const cell = event.target.closest("td");
  if (dx === undefined || !cell) return;
  const row = cell.parentElement;
  const next = row.parentElement.rows[row.rowIndex - 1 + dy]?.cells[cell.cellIndex + dx]?.querySelector("button");
  // The first cell of a row is its name.
  if (!next || !cell.cellIndex) return;
  event.preventDefault();
  next.focus();
}

/** `choose` takes a score, when its cell is pressed. The most repressed of the first miRNA stand above. */
export function matrix(scores, mirnas, transcripts, choose) {
  const byPair = new Map(scores.map((score) => [keyOf(score.mirna, score.transcript), score]));
  const ranks = ranked(scores, mirnas);
  // One good site is about 1: where there is less, nothing has the strongest colour.
  const most = scores.reduce((high, score) => Math.max(high, score.rank_score), 1);
  const rows = Math.max(LEAST_ROWS, Math.floor(MOST_CELLS / mirnas.length));
  const body = el("tbody", { onkeydown: onCellKey });
  const heads = mirnas.map((mirna) => el("th", { scope: "col" },
    el("button", { type: "button", onclick: () => sort(mirna), title: `${mirna}: put the 3′UTRs that it represses most first` }, mirna)));
  const cells = new Map();
  let order = transcripts;
  let chosen = null;

  function cell(mirna, transcript) {
    const score = byPair.get(keyOf(mirna, transcript));
    const step = score.rank_score > 0 ? Math.min(STEPS - 1, Math.ceil((score.rank_score / most) * (STEPS - 1))) : 0;
    const rank = ranks.get(keyOf(mirna, transcript));
    const told = `${mirna} on ${transcript}: score ${number(score.rank_score, 2)}, rank ${rank} of ${transcripts.length}; ${plural(score.canonical_sites, "canonical site")}, ${plural(score.weak_sites, "offset 6mer")}${score.seedless_sites === undefined ? "" : `, ${score.seedless_sites} without a seed match`}`;
    const button = el("button", {
      type: "button", class: `heat heat-${step}`, title: told, "aria-label": told, "aria-pressed": String(score === chosen),
      tabindex: score === chosen ? "0" : "-1", onclick: () => press(score),
    }, number(score.rank_score, 2));
    cells.set(score, button);
    return el("td", null, button);
  }
  function mark(score) {
    const set = (pressed, tabindex) => {
      cells.get(chosen)?.setAttribute("aria-pressed", pressed);
      cells.get(chosen)?.setAttribute("tabindex", tabindex);
    };
    set("false", "-1");
    chosen = score;
    set("true", "0");
  }
  function press(score) {
    mark(score);
    choose(score);
  }
  function sort(mirna) {
    heads.forEach((head, index) => (mirnas[index] === mirna ? head.setAttribute("aria-sort", "descending") : head.removeAttribute("aria-sort")));
    order = [...transcripts].sort((a, b) => byPair.get(keyOf(mirna, b)).rank_score - byPair.get(keyOf(mirna, a)).rank_score);
    cells.clear();
    body.replaceChildren(...order.slice(0, rows).map((transcript) => el("tr", null,
      el("th", { scope: "row", title: transcript }, transcript), mirnas.map((name) => cell(name, transcript)))));
    if (!cells.has(chosen)) body.querySelector("button")?.setAttribute("tabindex", "0");
  }
  chosen = [...scores].filter((score) => score.mirna === mirnas[0]).sort((a, b) => b.rank_score - a.rank_score)[0];
  sort(mirnas[0]);
  const table = el("table", { class: mirnas.length > FLAT_COLUMNS ? "heatmap upright" : "heatmap" },
    el("caption", null, "Score of each 3′UTR (rows) for each miRNA (columns)"),
    el("thead", null, el("tr", null, el("td", null, ""), heads)), body);
  const node = el("section", null,
    el("h2", null, "miRNAs × 3′UTRs"),
    el("p", null, "The stronger the colour, the more repression. Compare within a column: the score puts the 3′UTRs of one miRNA in order. Choose a miRNA's name to put those that it represses most first, and a cell to see its sites; arrow keys go from cell to cell."),
    scale(most), scrolling("The matrix", table),
    transcripts.length > rows ? el("p", { class: "hint" }, `${rows} of ${transcripts.length} 3′UTRs are shown; the files have all.`) : null,
    el("button", { type: "button", class: "quiet", onclick: () => save("matrix.tsv", new Blob([wide(byPair, mirnas, order), "\n"], { type: "text/tab-separated-values" })) }, "Download matrix TSV"));
  return { node, chosen, ranks, mark };
}
