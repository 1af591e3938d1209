// One miRNA on one transcript: the score in words, the transcript with its sites, their table, and the duplex of each.

import { plainDuplex } from "./draw.js";
import { el, number, probability, scrolling } from "./dom.js";
import { sortable } from "./table.js";
import { figure, warnings } from "./tool.js";
import { kindOf, kindsLegend, placeOf, track } from "./track.js";

const COMPLEMENT = { A: "U", C: "G", G: "C", U: "A" };
const LETTERS = /^[ACGTUNRYSWKMBDHV]+$/i;
// How much of the transcript the binding network reads: before the six letters, and in all.
const BEFORE = 30;
const WINDOW = 50;

export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** Letters as the service reads them. */
const rna = (letters) => letters.toUpperCase().replaceAll("T", "U");

/**
 * The offset 6mers of a 3'UTR, which the service counts and does not list: positions 3 to 8 pair, or 2 to 6 with an A
 * opposite position 1. Where the count is another one, none is shown.
 */
function offsetSites(mirna, { sequence, cds_end: coding = 0 }, expected) {
  const [seed, utr] = [rna(mirna.sequence), rna(sequence).slice(coding)];
  const found = [];
  for (let end = 6; end <= utr.length + 2; end++) {
    const facing = (position) => utr[end - position];
    const pairs = (position) => COMPLEMENT[seed[position - 1]] !== undefined && COMPLEMENT[seed[position - 1]] === facing(position);
    if (![3, 4, 5, 6].every(pairs)) continue;
    const m8 = !pairs(2) && pairs(7) && pairs(8);
    if (!m8 && !(pairs(2) && !pairs(7) && facing(1) === "A")) continue;
    const start = coding + end - (m8 ? 8 : 6);
    const window = [Math.max(0, start - BEFORE), Math.min(sequence.length, start - BEFORE + WINDOW)];
    found.push({ kind: "offset", site_type: "offset 6mer", start, end: start + 6, window, probability: null, repression: null });
  }
  return found.length === expected ? found : [];
}

/** What the score says, its sign and its size. `unit` is the spread of log2 fold changes, where the card tells it. */
function words(score, unit) {
  const { rank_score: value, canonical_sites: canonical, weak_sites: weak } = score;
  if (value === 0) return "No site that counts: no repression is predicted.";
  if (value < 0) return "Below 0: its weak sites stand where sites hardly act. No repression is predicted.";
  const change = unit ? ` Where the miRNA is over-expressed that is about ${number(value * unit, 2)} log2 less mRNA (${number(100 * 2 ** (-value * unit), 0)} % is left): a rough size.` : "";
  if (!canonical && weak) return `Offset 6mers alone, which put transcripts in order and hardly repress.${change}`;
  return `Higher is more repression, 0 is none.${change}`;
}

function verdict(score, unit, models) {
  const counts = [
    plural(score.canonical_sites, "canonical site"), plural(score.weak_sites, "offset 6mer"),
    score.seedless_sites === undefined ? null : `${plural(score.seedless_sites, "site")} without a seed match`,
  ].filter(Boolean).join(", ");
  return el("div", { class: "card" },
    figure(`Predicted repression of ${score.transcript} by ${score.mirna}`, number(score.rank_score, 2), words(score, unit)),
    el("p", null, el("strong", null, "Sites "), counts, `. The canonical sites alone sum to ${number(score.repression_score, 2)}.`),
    el("p", null, "The score sums sites by their class and surroundings, in units of the usual spread of log2 fold changes between genes where a miRNA is over-expressed. It is made to put the transcripts of one miRNA in order: compare it between transcripts, not between miRNAs. ",
      "What is bound without a seed match hardly goes down, and adds nothing to it."),
    el("p", { class: "hint" }, `Scored by ${models.repression}; binding by ${models.binding}.`));
}

function facts(site) {
  const told = [
    site.repression === null ? null : `adds ${number(site.repression, 3)} to the score`,
    site.probability === null ? null : `binding probability ${probability(site.probability)}`,
  ].filter(Boolean);
  if (site.kind === "canonical" && site.repression === null) told.push("lies before the 3′UTR, and adds nothing to the score");
  return told.length ? `${told.join("; ")}.` : "";
}

/** Where the picture is wider than the window, the seed is what is seen first. */
function atSeed(picture) {
  const node = scrolling("The duplex", picture);
  requestAnimationFrame(() => {
    const seed = picture.querySelector(".seed").getBoundingClientRect();
    node.scrollLeft += seed.left + seed.width / 2 - node.getBoundingClientRect().left - node.clientWidth / 2;
  });
  return node;
}

/** The duplex of a site's window. A structure is asked for once. */
function duplex(view, mirna, transcript) {
  const known = new Map();
  const body = el("div", { "aria-live": "polite" });
  const fill = async (site) => {
    const letters = rna(transcript.sequence.slice(...site.window));
    const key = site.window.join();
    if (!known.has(key)) {
      const asked = view.json(`fold (${placeOf(site)})`, "v1/duplexes/fold", { pairs: [{ mirna: mirna.sequence, site: letters }] });
      known.set(key, asked);
      asked.catch(() => known.delete(key));
    }
    const { results: [folded] } = await known.get(key);
    // A miRNA that was named has as many letters as the service folded.
    const strand = LETTERS.test(mirna.sequence) ? rna(mirna.sequence) : "N".repeat(folded.dot_bracket.indexOf("&"));
    const energy = folded.mfe_kcal_per_mol;
    const link = new URLSearchParams({ tool: "pair", mirna: mirna.sequence, site: letters });
    return [
      el("h3", null, `${site.kind === "seedless" ? "Without a seed match" : site.site_type}, ${placeOf(site)} of ${transcript.id}`),
      el("p", null, facts(site)),
      atSeed(plainDuplex(folded, strand, letters)),
      el("p", null, energy === null ? "No two letters pair." : `Free energy ${number(energy, 1)} kcal/mol: the structure of least free energy of the miRNA with letters ${site.window[0] + 1} to ${site.window[1]} (nearest neighbours, 37 °C). `,
        el("a", { href: `#${link}` }, "Which letters decide? Open this pair in miRNA × site.")),
      folded.drawing ? el("details", null, el("summary", null, "The same as text"),
        el("pre", { tabindex: "0", role: "region", "aria-label": "The duplex as text" }, folded.drawing, site.pairing ? `\n\n${site.pairing}` : "")) : null,
    ].filter(Boolean);
  };
  let latest;
  const show = async (site) => {
    latest = site;
    if (!body.firstChild) body.textContent = "The duplex is being folded …";
    try {
      const nodes = await fill(site);
      if (latest === site) body.replaceChildren(...nodes);
    } catch (error) {
      if (!view.abort.signal.aborted) body.replaceChildren(view.failure(error));
    }
  };
  return { node: body, show };
}

function siteTable(sites, press) {
  const columns = [
    { name: "kind", hint: "the class of the seed match" },
    { name: "start", hint: "first letter, counted from 1; files count from 0 as BED does" }, { name: "end", hint: "last letter" },
    { name: "adds to score", measured: true },
    { name: "binding", hint: "probability that the miRNA binds the window", measured: true, show: probability },
    { name: "kcal/mol", hint: "free energy of the duplex", measured: true, show: (value) => number(value, 1) },
    { name: "duplex" },
  ];
  const rows = sites.map((site) => [
    site.kind === "seedless" ? "no seed match" : site.site_type, site.start + 1, site.end, site.repression, site.probability, site.mfe_kcal_per_mol,
    el("button", { type: "button", class: "quiet", onclick: () => press(site), "aria-label": `Duplex of ${placeOf(site)}` }, "Show"),
  ]);
  return sortable(plural(sites.length, "site"), columns, rows);
}

/** The nodes of a pair. `found` are the sites that the service listed, `models` the names of the two that answered. */
export function pairNodes(view, { mirna, transcript, score, found, unit, models }) {
  const offset = LETTERS.test(mirna.sequence) ? offsetSites(mirna, transcript, score.weak_sites) : [];
  const sites = [...found, ...offset].sort((a, b) => a.start - b.start);
  const head = [verdict(score, unit, models), warnings(score)];
  if (!sites.length) {
    return [...head, el("p", null, score.seedless_sites === undefined
      ? "There is no site to show. Sites without a seed match were not looked for: the switch above asks for them."
      : "There is no site to show.")];
  }
  const folded = duplex(view, mirna, transcript);
  const drawn = track({ name: transcript.id, length: transcript.sequence.length, codingEnd: transcript.cds_end }, sites, folded.show);
  const press = (site) => {
    drawn.select(site);
    folded.show(site);
    folded.node.scrollIntoView({ block: "nearest" });
  };
  // The strongest site is what is looked at first.
  const strongest = [...sites].sort((a, b) => (b.repression ?? -1) - (a.repression ?? -1) || (b.probability ?? 0) - (a.probability ?? 0))[0];
  drawn.select(strongest);
  folded.show(strongest);
  return [
    ...head,
    el("section", null, el("h2", null, `Sites on ${transcript.id}, to scale`), drawn.node, kindsLegend(sites),
      offset.length ? el("p", { class: "hint" }, "The service counts offset 6mers and lists none: their places are found by this page.") : null,
      el("p", { class: "hint" }, "Choose a mark to see its duplex; arrow keys go from mark to mark."), folded.node),
    siteTable(sites, press),
  ];
}
