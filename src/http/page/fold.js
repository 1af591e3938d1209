// A structure drawn as its loops: each is a regular polygon, so that a helix is a ladder of squares.

import { number, svg } from "./dom.js";
import { largest, sign, zoomed } from "./draw.js";

const UNIT = 20;

function partners(brackets) {
  const open = [];
  const partner = new Array(brackets.length).fill(-1);
  [...brackets].forEach((mark, index) => {
    if (mark === "(") open.push(index);
    if (mark !== ")") return;
    partner[index] = open.pop();
    partner[partner[index]] = index;
  });
  return partner;
}

/** The letters between `from` and `to` that face the loop. */
function facing(partner, from, to) {
  const members = [];
  for (let index = from; index <= to; index++) {
    members.push(index);
    if (partner[index] > index) {
      index = partner[index];
      members.push(index);
    }
  }
  return members;
}

/** Places what the pair `i`, `j` encloses: its loop, and the loops beyond. */
function placeLoop(points, partner, i, j) {
  const members = facing(partner, i + 1, j - 1);
  const corners = members.length + 2;
  const [p, q] = [points[i], points[j]];
  const apothem = 0.5 / Math.tan(Math.PI / corners);
  // The loop lies to the left of the way from i to j.
  const centre = { x: (p.x + q.x) / 2 - (q.y - p.y) * apothem, y: (p.y + q.y) / 2 + (q.x - p.x) * apothem };
  const start = Math.atan2(p.y - centre.y, p.x - centre.x);
  const radius = 0.5 / Math.sin(Math.PI / corners);
  members.forEach((member, index) => {
    const angle = start - ((index + 1) * 2 * Math.PI) / corners;
    points[member] = { x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle) };
  });
  for (const member of members) {
    if (partner[member] > member) placeLoop(points, partner, member, partner[member]);
  }
}

/** Turned so that the long way lies flat and the 5' end is left. */
function flat(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [mx, my] = [mean((point) => point.x), mean((point) => point.y)];
  const [xx, yy, xy] = [
    mean((point) => (point.x - mx) ** 2), mean((point) => (point.y - my) ** 2), mean((point) => (point.x - mx) * (point.y - my)),
  ];
  let angle = -0.5 * Math.atan2(2 * xy, xx - yy);
  const turn = ({ x, y }) => ({
    x: (x - mx) * Math.cos(angle) - (y - my) * Math.sin(angle), y: (x - mx) * Math.sin(angle) + (y - my) * Math.cos(angle),
  });
  if (turn(points[0]).x > 0) angle += Math.PI;
  return points.map(turn);
}

function layout(partner) {
  const points = [];
  // What no pair encloses lies on a line, from which the stems rise.
  const outside = facing(partner, 0, partner.length - 1);
  outside.forEach((member, index) => (points[member] = { x: index, y: 0 }));
  for (const member of outside) {
    if (partner[member] > member) placeLoop(points, partner, member, partner[member]);
  }
  return flat(points);
}

function letterAt(letter, index, { x, y }, value, most) {
  const effect = value === undefined ? "" : `: ${value > 0 ? "+" : ""}${number(value, 4)}`;
  const colour = value === undefined ? { class: "base" } : { class: sign(value), "fill-opacity": (Math.abs(value) / most) * 0.8 };
  return svg("g", null, svg("title", null, `${index + 1} ${letter}${effect}`),
    svg("circle", { cx: x, cy: y, r: 8.5, class: "back" }), svg("circle", { cx: x, cy: y, r: 8.5, ...colour }),
    svg("text", { x, y: y + 4, class: "letter small", "text-anchor": "middle" }, letter));
}

/** A number stands off its letter: away from the partner, or from the neighbours that bend round a loop. */
function numberAt(index, points, partner) {
  const { x, y } = points[index];
  const [before, behind] = [points[Math.max(0, index - 2)], points[Math.min(points.length - 1, index + 2)]];
  const from = partner[index] < 0 ? { x: (before.x + behind.x) / 2, y: (before.y + behind.y) / 2 } : points[partner[index]];
  const length = Math.hypot(x - from.x, y - from.y) || 1;
  const out = { x: x + ((x - from.x) / length) * 17, y: y + ((y - from.y) / length) * 17 + 3 };
  return svg("text", { ...out, class: "tick", "text-anchor": "middle" }, index + 1);
}

/** The folded strand; where `effects` are known its letters have their colours. */
export function foldPicture(sequence, brackets, effects) {
  const partner = partners(brackets);
  const raw = layout(partner).map(({ x, y }) => ({ x: x * UNIT, y: y * UNIT }));
  const [left, top] = [Math.min(...raw.map(({ x }) => x)) - 32, Math.min(...raw.map(({ y }) => y)) - 26];
  const points = raw.map(({ x, y }) => ({ x: x - left, y: y - top }));
  const width = Math.max(...points.map(({ x }) => x)) + 32;
  const height = Math.max(...points.map(({ y }) => y)) + 26;
  const most = largest(effects ?? []);
  const bonds = partner.map((other, index) => other > index && svg("line", {
    x1: points[index].x, y1: points[index].y, x2: points[other].x, y2: points[other].y, class: "bond",
  })).filter(Boolean);
  const label = `The folded strand: ${bonds.length} base pairs. Its dots and brackets are below.`;
  return svg("svg", { ...zoomed(width, height), class: "picture fold", role: "img", "aria-label": label },
    svg("polyline", { points: points.map(({ x, y }) => `${x},${y}`).join(" "), class: "backbone" }), bonds,
    points.map((point, index) => letterAt(sequence[index], index, point, effects?.[index], most)),
    points.map((_, index) => ((index + 1) % 10 === 0 ? numberAt(index, points, partner) : null)),
    svg("text", { x: points[0].x - 22, y: points[0].y + 4, class: "tick", "text-anchor": "middle" }, "5′"),
    svg("text", { x: points.at(-1).x - 22, y: points.at(-1).y + 4, class: "tick", "text-anchor": "middle" }, "3′"));
}
