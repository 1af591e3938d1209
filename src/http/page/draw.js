// Pictures drawn here: a gauge, effects over the letters, the duplex. Colours are classes, so that dark pages have their own.

import { el, number, svg } from "./dom.js";

const CELL = 14;
const LEFT = 66;
const BAR = 46;
const HEAT = 13;
const BASES = ["A", "C", "G", "U"];

/** A drawing of few letters is made larger, as far as a page is wide. */
export const zoomed = (width, height) => {
  const zoom = Math.min(1.6, Math.max(1, 900 / width));
  return { viewBox: `0 0 ${width} ${height}`, width: width * zoom, height: height * zoom };
};

export const sign = (value) => (value >= 0 ? "plus" : "minus");

/** The largest size among effects, however deep they lie. */
export function largest(...values) {
  return Math.max(1e-9, ...values.flat(Infinity).filter((value) => value !== null).map(Math.abs));
}

const text = (x, y, content, name, anchor = "middle") => svg("text", { x, y, class: name, "text-anchor": anchor }, content);

const signed = (value) => (value > 0 ? "+" : "") + number(value, 4);

/** A value on a line from `low` to `high`, with the threshold where there is one. */
export function gauge(value, { low = 0, high = 1, threshold, label }) {
  const width = 300;
  const at = (point) => 10 + ((Math.min(high, Math.max(low, point)) - low) / (high - low)) * width;
  const zero = at(Math.max(low, Math.min(high, 0)));
  const mark = threshold === null || threshold === undefined ? [] : [
    svg("line", { x1: at(threshold), x2: at(threshold), y1: 2, y2: 26, class: "threshold" }),
    text(at(threshold), 40, `threshold ${threshold}`, "tick"),
  ];
  return svg("svg", { viewBox: `0 0 ${width + 20} 44`, class: "gauge", role: "img", "aria-label": label },
    svg("rect", { x: 10, y: 8, width, height: 12, rx: 6, class: "track" }),
    svg("rect", { x: Math.min(zero, at(value)), y: 8, width: Math.max(3, Math.abs(at(value) - zero)), height: 12, rx: 6, class: "value" }),
    text(10, 40, String(low).replace("-", "−"), "tick", "start"), text(10 + width, 40, high, "tick", "end"), mark);
}

/** A bar for each letter; `up` is the way of a positive effect. */
function bars(strand, y, up, most) {
  return strand.columns.map(({ x, position, letter }) => {
    const value = strand.importance[position - 1];
    const height = (Math.abs(value) / most) * BAR;
    const top = (value >= 0) === up ? y - height : y;
    return svg("rect", { x: x + 2, y: top, width: CELL - 4, height: Math.max(height, 0.5), class: sign(value) },
      svg("title", null, `${strand.name} ${position} ${letter}: ${signed(value)}`));
  });
}

/** Four rows, A C G U: what each letter does in each place. */
function heat(strand, y, most) {
  const cell = ({ x, position, letter }, base, row) => {
    const value = strand.substitution[position - 1][base];
    const place = { x, y: y + row * HEAT, width: CELL - 1, height: HEAT - 1 };
    if (value === null) return text(x + CELL / 2 - 0.5, place.y + HEAT - 3, "•", "tick");
    const title = svg("title", null, `${strand.name} ${position} ${letter} to ${base}: ${signed(-value)}`);
    return svg("rect", { ...place, class: sign(value), "fill-opacity": Math.max(0.06, Math.abs(value) / most) }, title);
  };
  return BASES.map((base, row) => [
    text(LEFT - 8, y + row * HEAT + HEAT - 3, base, "tick", "end"),
    strand.columns.map((column) => cell(column, base, row)),
  ]);
}

function letters(strand, y) {
  return strand.columns.map(({ x, letter, paired }) => text(x + CELL / 2, y, letter, paired ? "letter paired" : "letter"));
}

function positions(strand, y) {
  const told = strand.columns.filter(({ position }) => position === 1 || position % 5 === 0);
  return told.map(({ x, position }) => text(x + CELL / 2, y, position, "tick"));
}

/** The letters of the duplex by column; the miRNA is read from its 3' end. */
function duplexColumns(drawing, mirna, site) {
  const rows = drawing.split("\n").map((row) => row.slice(3));
  const width = drawing ? rows[0].length - 3 : Math.max(mirna.length, site.length);
  const [top, bonds, bottom] = drawing ? rows : [[...mirna].reverse().join(""), "", site];
  const strands = [[], []];
  for (let column = 0; column < width; column++) {
    [top, bottom].forEach((row, strand) => {
      const letter = row[column] ?? " ";
      if (!/[a-z]/i.test(letter)) return;
      const paired = (bonds[column] ?? " ") !== " ";
      strands[strand].push({ x: LEFT + column * CELL, letter: letter.toUpperCase(), paired });
    });
  }
  strands[0].forEach((column, index) => (column.position = mirna.length - index));
  strands[1].forEach((column, index) => (column.position = index + 1));
  return { width, bonds, columns: strands };
}

function seed(columns, top, bottom) {
  const xs = columns.filter(({ position }) => position >= 2 && position <= 8).map(({ x }) => x);
  const x = Math.min(...xs);
  return [
    svg("rect", { x: x - 1, y: top, width: Math.max(...xs) + CELL + 1 - x, height: bottom - top, rx: 4, class: "seed" }),
    text((x + Math.max(...xs) + CELL) / 2, top - 4, "seed (positions 2 to 8)", "tick"),
  ];
}

function bondMarks(bonds, y) {
  return [...bonds].map((bond, column) => {
    const x = LEFT + column * CELL + CELL / 2;
    if (bond === "|") return svg("line", { x1: x, x2: x, y1: y, y2: y + 11, class: "bond" });
    return bond === ":" ? svg("circle", { cx: x, cy: y + 5.5, r: 1.8, class: "wobble" }) : null;
  });
}

/** Both strands as they pair, each with its effects on the far side. */
export function duplexPicture(result, mirna, site) {
  const { width, bonds, columns } = duplexColumns(result.drawing, mirna, site);
  const strand = (name, key, index) => ({
    name, columns: columns[index], importance: result.importance[key], substitution: result.substitution[key],
  });
  const [upper, lower] = [strand("miRNA", "mirna", 0), strand("site", "site", 1)];
  const most = largest(upper.importance, lower.importance);
  const changed = (of) => of.substitution.map((one) => Object.values(one));
  const heatMost = largest(changed(upper), changed(lower));
  const base = 20 + 4 * HEAT + BAR + 12;
  const end = LEFT + width * CELL;
  const height = base * 2 + 72;
  const low = height - base;
  return svg("svg", { ...zoomed(end + 24, height), class: "picture", role: "img", "aria-label": duplexLabel(upper, lower) },
    seed(upper.columns, 18, height - 18),
    heat(upper, 20, heatMost), bars(upper, base, true, most), positions(upper, base + 12), letters(upper, base + 27),
    bondMarks(bonds, base + 31),
    letters(lower, low - 18), positions(lower, low - 4), bars(lower, low, false, most), heat(lower, low + BAR + 12, heatMost),
    text(LEFT - 8, base + 27, "miRNA 3′", "tick", "end"), text(end + 6, base + 27, "5′", "tick", "start"),
    text(LEFT - 8, low - 18, "site 5′", "tick", "end"), text(end + 6, low - 18, "3′", "tick", "start"),
    [base - BAR + 8, low + BAR].map((y) => text(LEFT - 8, y, `±${number(most, 2)}`, "tick", "end")));
}

/** Both strands as they pair, and nothing else: of a structure whose letters were not explained. */
export function plainDuplex(folded, mirna, site) {
  const { width, bonds, columns: [upper, lower] } = duplexColumns(folded.drawing ?? "", mirna, site);
  const strand = (columns) => ({ columns });
  const end = LEFT + width * CELL;
  const label = `The duplex: ${folded.pairs?.length ?? 0} base pairs. It is below as text.`;
  return svg("svg", { ...zoomed(end + 24, 102), class: "picture", role: "img", "aria-label": label },
    seed(upper, 16, 52), positions(strand(upper), 28), letters(strand(upper), 44), bondMarks(bonds, 49),
    letters(strand(lower), 76), positions(strand(lower), 92),
    text(LEFT - 8, 44, "miRNA 3′", "tick", "end"), text(end + 6, 44, "5′", "tick", "start"),
    text(LEFT - 8, 76, "site 5′", "tick", "end"), text(end + 6, 76, "3′", "tick", "start"));
}

function strongest(strand) {
  const order = strand.columns.map((column) => ({ ...column, value: strand.importance[column.position - 1] }));
  const top = order.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 3);
  return top.map(({ position, letter, value }) => `${letter} at ${position} (${signed(value)})`).join(", ");
}

function duplexLabel(upper, lower) {
  return `The duplex with the effect of each letter. Strongest in the miRNA: ${strongest(upper)}; in the site: ${strongest(lower)}. The numbers are in the table below.`;
}

/** One strand with its structure, its effects above and the heat map below. */
export function strandPicture(name, sequence, result) {
  const columns = [...sequence].map((letter, index) => ({
    x: LEFT + index * CELL, letter, position: index + 1, paired: result.dot_bracket[index] !== ".",
  }));
  const strand = { name, columns, importance: result.importance.sequence, substitution: result.substitution?.sequence };
  const most = largest(strand.importance);
  const deepest = largest(...strand.importance.map((value) => Math.min(0, value)));
  const base = BAR + 8;
  const low = base + 18 + (deepest / most) * BAR;
  const end = LEFT + sequence.length * CELL;
  const height = low + 36 + (strand.substitution ? 4 * HEAT : 0);
  const label = `The effect of each letter. Strongest: ${strongest(strand)}. The numbers are in the table below.`;
  return svg("svg", { ...zoomed(end + 10, height), class: "picture", role: "img", "aria-label": label },
    bars(strand, base, true, most), letters(strand, low), text(LEFT - 8, low, "5′", "tick", "end"), positions(strand, low + 26),
    columns.map(({ x }, index) => text(x + CELL / 2, low + 13, result.dot_bracket[index], "tick")),
    strand.substitution ? heat(strand, low + 32, largest(strand.substitution.map((one) => Object.values(one)))) : null,
    text(LEFT - 8, base - BAR + 8, `±${number(most, 2)}`, "tick", "end"));
}

/** Effects of the parts of a promoter, over its letters where they fit, and the start of transcription. */
export function promoterPicture(sequence, tss, parts) {
  const lettered = sequence.length <= 200;
  const unit = lettered ? Math.min(14, Math.max(9, 840 / sequence.length)) : 840 / sequence.length;
  const x = (index) => LEFT + index * unit;
  const most = largest(parts.map((part) => part.n_mask));
  const end = x(sequence.length);
  const drawn = parts.map(({ start, end: stop, n_mask: value }) => {
    const height = Math.max(0.5, (Math.abs(value) / most) * BAR);
    return svg("rect", { x: x(start) + 0.5, y: value >= 0 ? 76 - height : 76, width: Math.max(0.5, (stop - start) * unit - 1), height, class: sign(value) },
      svg("title", null, `letters ${start} to ${stop - 1}: ${signed(value)}`));
  });
  const label = `Effects of ${parts.length} parts of the promoter on the level; the start of transcription is at ${tss}.`;
  return svg("svg", { viewBox: `0 0 ${end + 30} 160`, width: end + 30, height: 160, class: "picture", role: "img", "aria-label": label },
    svg("line", { x1: LEFT, x2: end, y1: 76, y2: 76, class: "axis" }), drawn,
    svg("path", { d: `M${x(tss) + unit / 2} 128V18h22m-5-4l5 4-5 4`, class: "tss" }), text(x(tss) + unit / 2 + 28, 14, "start of transcription", "tick", "start"),
    lettered ? [...sequence].map((letter, index) => text(x(index) + unit / 2, 140, letter, "letter small")) : null,
    [0, sequence.length - 1].map((index) => text(x(index) + unit / 2, 156, index, "tick")),
    text(LEFT - 8, 40, `±${number(most, 2)}`, "tick", "end"), text(LEFT - 8, 140, "5′", "tick", "end"));
}

/** What the colours mean. */
export function legend(supports, opposes) {
  const swatch = (name) => svg("svg", { viewBox: "0 0 12 12", class: "swatch", "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, class: name }));
  return el("p", { class: "legend" }, el("span", null, swatch("plus"), supports), el("span", null, swatch("minus"), opposes));
}
