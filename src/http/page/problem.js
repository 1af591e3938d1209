// A refusal, told so that the reader knows which value to change, or what to do next.

import { el } from "./dom.js";

const FEWER = "Send fewer rows at a time, or send them line by line (NDJSON), which has no limit on rows: docs/formats.md.";
const LATER = "Nothing is wrong with the input: ask again in a moment.";

const REMEDIES = {
  unauthorized: "Enter an API key at the top of the page. Whoever runs this service makes keys.",
  forbidden: "This key does not allow it. Ask whoever runs this service for a key that does, or use another one.",
  "rate-limited": "Nothing is wrong with the input: there were more requests in this minute than the service allows.",
  "queue-full": LATER,
  starting: "The networks are being loaded: ask again in a moment.",
  draining: "The service is being restarted: ask again in a moment.",
  "model-fault": LATER,
  "device-fault": LATER,
  "deadline-exceeded": LATER,
  "body-too-large": FEWER,
  "too-many-rows": FEWER,
  "too-much-work": FEWER,
  "unknown-model": "Choose another model in the list.",
};

// Fields as the forms call them.
const FIELDS = { mirna: "miRNA", site: "target site", sequence: "hairpin", promoter: "promoter", tss: "start of transcription", min_probability: "least binding probability" };

// Lists that are inputs of their own, and what one of their entries is called.
const LISTS = { mirnas: "miRNA", transcripts: "3′UTR" };

/** A pointer like `/pairs/1/site` as a row, from 1, the name of its field, and the list where that is an input. */
export function place(error) {
  const [, list, row, ...rest] = error.pointer.split("/");
  // What is missing has no place of its own: the pointer ends at its row, and the detail names it.
  const missing = error.code === "missing_field" && !rest.length ? /^(\w+) is missing/.exec(error.detail)?.[1] : null;
  return { row: /^\d+$/.test(row) ? Number(row) + 1 : null, field: missing ?? (row === undefined && FIELDS[list] ? list : rest.join(".")), list: LISTS[list] ? list : null };
}

/** The entry of a list by its name, which the reader knows better than its number. */
function entry({ row, field, list }, names) {
  const name = names[list]?.[row - 1];
  const one = row ? `${LISTS[list]} ${row}${name ? ` (${name})` : ""}` : `${LISTS[list]}s`;
  return field && field !== "sequence" ? [one, field] : [one];
}

function item(error, names) {
  const at = place(error);
  const { row, field, list } = at;
  const parts = list ? entry(at, names) : [
    row ? `row ${row}` : null,
    error.line ? `line ${error.line} of the input` : null,
    field ? (FIELDS[field] ?? field) : null,
  ].filter(Boolean);
  return el("li", null, parts.length ? el("strong", null, `${parts.join(", ")}: `) : null, error.detail);
}

function wait(refusal) {
  if (!refusal.retryAfter) return null;
  const seconds = refusal.retryAfter;
  return el("p", null, `The service asks to wait ${seconds} ${seconds === 1 ? "second" : "seconds"}.`);
}

/** The refusal as a box; `again` asks anew, `names` are those of the entries of each list. */
export function problemBox(refusal, again, names = {}) {
  const { problem } = refusal;
  const remedy = REMEDIES[refusal.kind];
  const errors = problem.errors ?? [];
  const more = problem.more_errors ? el("p", null, `and ${problem.more_errors} more.`) : null;
  const retry = refusal.status === 0 || refusal.status === 429 || refusal.status >= 500;
  return el("section", { class: "problem", role: "alert" },
    el("h2", null, problem.title),
    errors.length ? el("ul", null, errors.map((error) => item(error, names))) : el("p", null, problem.detail ?? ""),
    more,
    remedy ? el("p", null, remedy) : null,
    wait(refusal),
    retry ? el("button", { type: "button", onclick: again }, "Ask again") : null,
    problem.request_id ? el("p", { class: "hint" }, "Request ", el("code", null, problem.request_id)) : null);
}
