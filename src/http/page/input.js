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

// Names that the service may know in place of letters.
const NAME = /^(MI(MAT)?\d|([a-z]{3,4}-)?(mir|let|lin)-)/i;
const LETTERS = /^[ACGTUNRYSWKMBDHV]+$/i;

/** Whether lines are one sequence that was cut to a width, as sequence files are; lines of miRNAs are shorter. */
function isWrapped(lines) {
  const [width, last] = [lines[0].length, lines.at(-1).length];
  return lines.length > 1 && width >= 50 && last <= width && lines.slice(0, -1).every((line) => line.length === width) && lines.every((line) => LETTERS.test(line));
}

/** A line of letters, behind a name if there is one. */
function lineRow(line) {
  const cells = line.split(/[\t;,]+/).map((cell) => cell.trim());
  if (cells.length > 1) return { id: cells[0], sequence: cells.slice(1).join("") };
  const words = line.split(/\s+/);
  if (words.length === 1) return NAME.test(line) ? { id: line, sequence: line } : { sequence: line };
  // Letters may stand in blocks; a short word of letters is a name like any other.
  const named = !/^[ACGTUN]{5,}$/i.test(words[0]);
  return named ? { id: words[0], sequence: words.slice(1).join("") } : { sequence: words.join("") };
}

function lineRows(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  // As databases print a sequence: a number before each line, letters in blocks.
  const numbered = lines.length > 0 && lines.every((line) => /^\d+\s/.test(line));
  if (numbered) return [{ sequence: lines.join("").replace(/[\d\s]/g, "") }];
  if (lines.length && isWrapped(lines)) return [{ sequence: lines.join(""), joined: lines.length }];
  const [head, ...rest] = lines;
  return (/[\t;,]\s*sequence\b/i.test(head) ? rest : lines).map(lineRow);
}

/** A whole mRNA says in its FASTA head where its 3'UTR begins. */
function recordRows(text) {
  const heads = text.split(/^>/m).slice(1).map((record) => /\bcds_end=(\d+)/.exec(record.split("\n")[0])?.[1]);
  return fastaRows(text, "sequence").map((row, index) => (heads[index] === undefined ? row : { ...row, cds_end: Number(heads[index]) }));
}

/** Sequences with names: FASTA, or letters one a line; a name is made up where there is none. */
export function sequences(text, madeUp) {
  const clean = text.replace(/\r\n?/g, "\n").trim();
  const rows = clean.startsWith(">") ? recordRows(clean) : lineRows(clean);
  // The service takes names of one word.
  return rows.map((row, index) => ({ ...row, id: row.id?.replace(/\s+/g, "_") || `${madeUp}-${index + 1}` }));
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
