// A transcript drawn to scale with its sites. Each kind has a shape and a colour of its own, so that neither has to be seen.

import { el, svg } from "./dom.js";

const WIDEST = 900;
const MARGIN = 16;
// What the window loses to the page's edges.
const EDGES = 116;
// Where more sites crowd, marks lie on each other, and arrow keys still tell them apart.
const MOST_LANES = 8;
const TICKS_APART = 64;
const LANE = 22;
// More marks than this cannot be told apart; the table has all sites.
const MOST_MARKS = 400;

/** Kinds of sites by strength: how a mark looks about its middle, and what it is. */
export const KINDS = {
  "8mer": { shape: "M-7-7H7V7H-7Z", told: "8mer: the miRNA's positions 2 to 8 pair, and an A stands opposite position 1" },
  "7mer-m8": { shape: "M0-8L8 7H-8Z", told: "7mer-m8: positions 2 to 8 pair" },
  "7mer-A1": { shape: "M0-9L9 0L0 9L-9 0Z", told: "7mer-A1: positions 2 to 7 pair, and an A stands opposite position 1" },
  "6mer": { shape: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0Z", told: "6mer: positions 2 to 7 pair" },
  offset: { shape: "M-2-8H2V8H-2Z", told: "offset 6mer: six letters that pair one place aside of the seed; the weakest class" },
  seedless: { shape: "M0 8L8-7H-8Z", told: "no seed match: bound, as the binding network says, and hardly repressed by it" },
};

/** A site's kind, a name of `KINDS`. */
export const kindOf = (site) => (site.kind === "canonical" ? site.site_type : site.kind);

export const placeOf = (site) => `letters ${site.start + 1} to ${site.end}`;

const middle = (site) => (site.start + site.end) / 2;

const shapeOf = (kind, properties) => svg("path", { d: KINDS[kind].shape, class: `site site-${kind}`, ...properties });

/** Marks that would touch stand in lanes above each other. */
function inLanes(sites, at) {
  const ends = [];
  return sites.map((site) => {
    const x = at(middle(site));
    const free = ends.findIndex((end) => end <= x - LANE);
    const lane = free < 0 ? Math.min(ends.length, MOST_LANES - 1) : free;
    ends[lane] = x;
    return { site, x, lane };
  });
}

/** A round number of letters between ticks, for a line of `width`. */
function stepOf(length, width) {
  const steps = [10, 100, 1000, 10_000].flatMap((ten) => [ten, 2 * ten, 5 * ten]);
  return steps.find((step) => (step / length) * width >= TICKS_APART) ?? length;
}

function ruler(length, at, y) {
  const step = stepOf(length, at(length) - at(0));
  const ticks = Array.from({ length: Math.floor(length / step) }, (_, index) => (index + 1) * step);
  // The last number is the length, and nothing may stand in its way.
  const told = [...new Set([1, ...ticks.filter((tick) => at(length) - at(tick) > TICKS_APART), length])];
  const anchor = (tick) => (tick === length ? "end" : tick === 1 ? "start" : "middle");
  return told.map((tick) => [
    svg("line", { x1: at(tick - 0.5), x2: at(tick - 0.5), y1: y, y2: y + 6, class: "ruler" }),
    svg("text", { x: at(tick - 0.5), y: y + 19, class: "tick", "text-anchor": anchor(tick) }, tick === length ? `${tick} nt` : tick),
  ]);
}

function coding(end, at, y) {
  if (!end) return [];
  return [
    svg("rect", { x: at(0), y: y - 6, width: at(end) - at(0), height: 12, class: "coding" }, svg("title", null, `before the 3′UTR: letters 1 to ${end}`)),
  ];
}

/** What a mark says, for eyes that rest on it and for screen readers. */
function labelOf(site) {
  const bound = site.probability === null || site.probability === undefined ? "" : `, binding probability ${site.probability.toFixed(3)}`;
  return `${kindOf(site) === "offset" ? "offset 6mer" : kindOf(site)}, ${placeOf(site)}${bound}`;
}

/** The transcript from its 5' end to its 3' end; `choose` takes the site of a mark. Arrow keys go from mark to mark. */
export function track({ name, length, codingEnd }, sites, choose) {
  // On a phone the line is drawn shorter and not smaller, so that all of it is seen.
  const width = Math.max(200, Math.min(WIDEST, innerWidth - EDGES));
  const at = (letter) => MARGIN + (letter / length) * width;
  const shown = sites.slice(0, MOST_MARKS);
  const above = inLanes(shown.filter((site) => kindOf(site) !== "seedless"), at);
  const below = inLanes(shown.filter((site) => kindOf(site) === "seedless"), at);
  const lanes = (marks) => Math.max(0, ...marks.map(({ lane }) => lane + 1));
  const line = 14 + Math.max(1, lanes(above)) * LANE;
  const foot = line + 10 + lanes(below) * LANE;
  const placed = [
    ...above.map((mark) => ({ ...mark, y: line - 16 - mark.lane * LANE })),
    ...below.map((mark) => ({ ...mark, y: line + 18 + mark.lane * LANE })),
  ].sort((a, b) => a.x - b.x);
  const marks = placed.map(({ site, x, y }) => svg("g", {
    transform: `translate(${x} ${y})`, class: "mark", role: "button", tabindex: "-1", "aria-pressed": "false", "aria-label": labelOf(site),
    onclick: () => press(site),
  }, svg("title", null, labelOf(site)), svg("line", { x1: 0, x2: 0, y1: 0, y2: line - y, class: "stem" }),
  svg("circle", { r: 11, class: "ring" }), shapeOf(kindOf(site))));
  const press = (site) => {
    select(site);
    choose(site);
  };
  function select(site) {
    placed.forEach((mark, index) => {
      const chosen = mark.site === site;
      marks[index].setAttribute("aria-pressed", String(chosen));
      marks[index].setAttribute("tabindex", chosen ? "0" : "-1");
    });
  }
  marks[0]?.setAttribute("tabindex", "0");
  const onkeydown = (event) => {
    const index = marks.indexOf(event.target.closest(".mark"));
    if (index < 0) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      press(placed[index].site);
      return;
    }
    const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (next === undefined || !marks[next]) return;
    event.preventDefault();
    marks[next].focus();
  };
  const picture = svg("svg", {
    viewBox: `0 0 ${width + 2 * MARGIN} ${foot + 26}`, class: "picture track", role: "group", onkeydown,
    "aria-label": `${name}, ${length} letters, with ${shown.length} sites`,
  }, coding(codingEnd, at, line), svg("line", { x1: at(0), x2: at(length), y1: line, y2: line, class: "strand" }), ruler(length, at, foot), marks);
  const cut = sites.length > shown.length ? el("p", { class: "hint" }, `${shown.length} of ${sites.length} sites are drawn; the table has all.`) : null;
  return { node: el("div", null, picture, cut), select };
}

/** What the shapes mean, for the kinds that are there. */
export function kindsLegend(sites) {
  const present = new Set(sites.map(kindOf));
  return el("ul", { class: "legend kinds" }, Object.entries(KINDS).filter(([kind]) => present.has(kind)).map(([kind, { told }]) => el("li", null,
    svg("svg", { viewBox: "-10 -10 20 20", class: "swatch", "aria-hidden": "true" }, shapeOf(kind)), told)));
}
