// Many results: a table to sort and look into, and the same from the API as a file.

import { ask } from "./api.js";
import { el, number, save, scrolling } from "./dom.js";

// More rows make a page slow, and nobody reads them there: the file has all.
const SHOWN = 500;

export const TABLES = [["CSV", "text/csv", "csv"], ["TSV", "text/tab-separated-values", "tsv"]];

const compare = (one, other) => (typeof one === "number" ? one - other : String(one).localeCompare(String(other)));

function cell(value, { show = (shown) => number(shown, 4), measured }) {
  if (typeof value === "number") return el("td", { class: "number" }, Number.isInteger(value) && !measured ? String(value) : show(value));
  // A button of each of many rows is made when its row is shown.
  if (typeof value === "function") return el("td", null, value());
  if (value instanceof Node) return el("td", null, value);
  return el("td", null, value === undefined || value === null ? "" : String(value));
}

/**
 * Rows of cells below `columns`, `{name, hint, show, measured}`, where `show` writes a number, and a whole one too where it is
 * `measured` and not counted; a click on a name sorts by it.
 */
export function sortable(caption, columns, rows) {
  const body = el("tbody");
  let order = rows.map((cells, index) => ({ cells, index }));
  const heads = columns.map(({ name, hint }) => el("th", { scope: "col", title: hint }, name ? el("button", { type: "button" }, name) : null));
  const draw = () => body.replaceChildren(...order.slice(0, SHOWN).map(({ cells }) => el("tr", null, cells.map((value, column) => cell(value, columns[column])))));
  heads.forEach((head, column) => head.firstChild?.addEventListener("click", () => {
    const falling = head.getAttribute("aria-sort") !== "descending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    order = [...order].sort((a, b) => compare(a.cells[column], b.cells[column]) * (falling ? -1 : 1) || a.index - b.index);
    draw();
  }));
  draw();
  const cut = rows.length > SHOWN ? el("p", { class: "hint" }, `${SHOWN} of ${rows.length} rows are shown; the file has all.`) : null;
  return el("div", null,
    scrolling(caption, el("table", { class: "rows" }, el("caption", null, caption), el("thead", null, el("tr", null, heads)), body)), cut);
}

/** Buttons that ask the API for the same answer as a file: `kinds` are names, media types and endings. */
export function downloads(name, call, failed, kinds = TABLES) {
  return el("div", { class: "row" }, kinds.map(([label, accept, ending]) => el("button", {
    type: "button",
    class: "quiet",
    onclick: () => ask({ ...call, accept }).then((reply) => reply.blob()).then((blob) => save(`${name}.${ending}`, blob), failed),
  }, `Download ${label}`)));
}
