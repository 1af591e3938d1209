// What was pasted or loaded: FASTA, a table, or bare letters; and how the API wants to be told so.

import { el, field } from "./dom.js";

const SEQUENCE = /^[ACGTUNRYSWKMBDHV]{6,}$/i;
// A page that holds more letters than this becomes slow; programs have no such limit.
const LARGEST_FILE = 20e6;

/** Records of a FASTA text, for showing one of them; the API reads the text itself. */
function fastaRows(text, column) {
  return text.split(/^>/m).slice(1).map((record) => {
    const [head, ...lines] = record.split("\n");
    return { id: head.trim().split(/\s+/)[0], [column]: lines.join("").replace(/\s/g, "") };
  });
}

/** Rows of a table, for showing one of them; quotes are left to the API, which reads the text itself. */
function tableRows(lines, separator, names) {
  if (lines.some((line) => line.includes('"'))) return [];
  const rows = lines.filter((line) => line.trim()).map((line) => line.split(separator));
  return rows.map((cells) => Object.fromEntries(names.map((name, index) => [name, cells[index]?.trim()])));
}

function separatorOf(line) {
  return ["\t", ";", ","].find((character) => line.includes(character)) ?? null;
}

/** A table as the API takes it. Without a line of names the columns are `columns`, behind an id if there is one more. */
function table(text, columns) {
  const lines = text.split("\n");
  let separator = separatorOf(lines[0]);
  if (!separator) {
    // Columns that line up by spaces are read as well.
    lines.forEach((line, index) => (lines[index] = line.trim().replace(/\s+/g, "\t")));
    separator = "\t";
  }
  const first = lines[0].split(separator).map((cell) => cell.trim());
  const named = first.some((cell) => columns.includes(cell.toLowerCase())) || !first.some((cell) => SEQUENCE.test(cell));
  const names = named ? first : (first.length > columns.length ? ["id", ...columns] : columns);
  return {
    kind: "table",
    type: separator === "\t" ? "text/tab-separated-values" : "text/csv",
    body: lines.join("\n"),
    query: { header: named ? null : names.join(","), keep_columns: true },
    rows: tableRows(named ? lines.slice(1) : lines, separator, names),
  };
}

/** FASTA, a table with `columns`, or lines of letters for the first column. */
export function read(text, columns) {
  const clean = text.replaceAll("\r\n", "\n").trim();
  if (clean.startsWith(">")) {
    return { kind: "fasta", type: "text/x-fasta", body: `${clean}\n`, query: {}, rows: fastaRows(clean, columns[0]) };
  }
  const [first] = clean.split("\n");
  const named = first.split(/[\t;,]/).some((cell) => columns.includes(cell.trim().toLowerCase()));
  if (columns.length > 1 || named || separatorOf(first)) return table(clean, columns);
  const rows = clean.split("\n").filter((line) => line.trim()).map((line) => ({ [columns[0]]: line.trim() }));
  return { kind: "letters", rows };
}

/** A file's text: gzip is unpacked, and UTF-16 read where its mark says so. */
async function textOf(file) {
  const packed = file.name.endsWith(".gz");
  const stream = packed ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream();
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(mark).decode(bytes);
}

/** A field for text that a file can fill, chosen or dropped on it. */
export function textField(label, hint, rows, accept) {
  const area = el("textarea", { rows, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const file = el("input", { type: "file", accept });
  const note = el("p", { class: "hint", role: "status" });
  const load = async (chosen) => {
    if (!chosen) return;
    if (chosen.size > LARGEST_FILE) {
      note.textContent = `${chosen.name} is too large for this page; send it with curl.`;
      return;
    }
    try {
      area.value = await textOf(chosen);
      note.textContent = `${chosen.name} is loaded.`;
    } catch {
      note.textContent = `${chosen.name} could not be read.`;
    }
  };
  file.addEventListener("change", () => load(file.files[0]));
  area.addEventListener("dragover", (event) => event.preventDefault());
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    load(event.dataTransfer.files[0]);
  });
  const node = el("div", null, field(label, area, hint), field("or load a file (it may be gzip-compressed)", file), note);
  return { node, area };
}
