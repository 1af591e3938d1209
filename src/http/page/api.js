// The public API, asked from the page. Addresses are relative to the page, so that it works below a proxy's path.

const KEY = "mirador-key";

export const base = new URL(".", document.baseURI);

export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

/** Why there is no answer: the reply's problem details, or that none came. */
export class Refusal extends Error {
  constructor(problem, status, retryAfter) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  get kind() {
    return (this.problem.type ?? "").split(":").pop();
  }
}

/** The address of a call, with its options. */
export function address(call) {
  const url = new URL(call.path, base);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== "" && value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

/** A call: `path`, and where something is sent `body`, its `type`, `query` and `accept`. */
export async function ask(call, signal) {
  const headers = {};
  if (call.body !== undefined) headers["Content-Type"] = call.type;
  if (call.accept) headers.Accept = call.accept;
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  const method = call.body === undefined ? "GET" : "POST";
  let reply;
  try {
    reply = await fetch(address(call), { method, headers, body: call.body, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal({ title: "No answer", detail: "The service could not be reached." }, 0, null);
  }
  if (!reply.ok) throw await refusal(reply);
  return reply;
}

async function refusal(reply) {
  const fallback = { title: `The service answered ${reply.status} ${reply.statusText}` };
  const problem = await reply.json().catch(() => fallback);
  return new Refusal(problem, reply.status, Number(reply.headers.get("Retry-After")) || null);
}

const cards = new Map();

/** A model's whole card, asked for once. A failure is not kept: a key may come later. */
export function card(name) {
  if (!cards.has(name)) {
    const asked = ask({ path: `v1/models/${name}` }).then((reply) => reply.json());
    cards.set(name, asked);
    asked.catch(() => cards.delete(name));
  }
  return cards.get(name);
}
