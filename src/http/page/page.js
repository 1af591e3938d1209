// The shell: tabs, the link that holds the input, the key, and what is running.

import { ask, key, Refusal } from "./api.js";
import { el, field } from "./dom.js";
import expression from "./expression.js";
import hairpin from "./hairpin.js";
import pair from "./pair.js";
import scan from "./scan.js";
import { makeTool } from "./tool.js";

// In the order of their tabs; a new tool is a file and a word here.
const TOOLS = [pair, scan, hairpin, expression];

// Longer addresses are cut by mail programs and refused by some browsers.
const LONGEST_LINK = 8000;

const tools = new Map();
let models = [];
let waiting = null;

const shell = {
  models: () => models,
  needKey: (again) => {
    waiting = again;
    showKey("This service asks for a key.");
  },
  link: (id, values) => {
    const given = Object.entries(values).filter(([, value]) => value);
    const hash = `#${new URLSearchParams([["tool", id], ...given])}`;
    const note = document.querySelector("#link-note");
    note.hidden = hash.length <= LONGEST_LINK;
    history.replaceState(null, "", note.hidden ? hash : `#tool=${id}`);
  },
};

function select(id, focus = false) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${id}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) tab.focus();
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
}

/** Arrow keys go from tab to tab; the Tab key leaves for the panel. */
function onTabKey(event) {
  const order = [...tools.keys()];
  const at = order.findIndex((id) => event.target.id === `tab-${id}`);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: order.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  select(order[(next + order.length) % order.length], true);
}

function build() {
  const tabs = document.querySelector("#tabs");
  tabs.addEventListener("keydown", onTabKey);
  for (const spec of TOOLS) {
    const tool = makeTool(spec, shell);
    tools.set(spec.id, tool);
    tabs.append(el("button", {
      type: "button", role: "tab", id: `tab-${spec.id}`, "aria-controls": `panel-${spec.id}`, onclick: () => select(spec.id),
    }, spec.title));
    document.querySelector("#panels").append(
      el("div", { role: "tabpanel", id: `panel-${spec.id}`, "aria-labelledby": `tab-${spec.id}` }, tool.root));
  }
}

/** What the link holds is filled in and asked. */
function restore() {
  const { tool: id, ...values } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const tool = tools.get(id);
  // Another mark in the address, as the link to the tools sets, is no reason to change the tool.
  if (!tool) return;
  select(id);
  if (!Object.keys(values).length) return;
  tool.fill(values);
  tool.run();
}

function showKey(message) {
  const box = document.querySelector("#key");
  box.hidden = false;
  document.querySelector("#key-message").textContent = message;
  document.querySelector("#forget").hidden = !key.get();
}

async function useKey(event) {
  event.preventDefault();
  const input = document.querySelector("#key-input");
  key.set(input.value.trim());
  input.value = "";
  if (!(await loadModels())) return;
  showKey("The key is kept until this tab is closed.");
  waiting?.();
  waiting = null;
}

function forgetKey() {
  key.set(null);
  showKey("The key is forgotten.");
}

function buildKey() {
  const input = el("input", { type: "password", id: "key-input", autocomplete: "off", spellcheck: "false" });
  document.querySelector("#key").append(
    el("p", { id: "key-message", role: "status" }),
    el("form", { class: "row", onsubmit: useKey }, field("API key", input),
      el("button", { type: "submit" }, "Use this key"),
      el("button", { type: "button", class: "quiet", id: "forget", onclick: forgetKey }, "Forget it")));
}

/** Whether the list came; a service with keys gives it to their holders. */
async function loadModels() {
  try {
    models = (await (await ask({ path: "v1/models" })).json()).models;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) showKey(key.get() ? "This key is not known here." : "This service asks for a key.");
    else document.querySelector("#state").textContent = `The list of models could not be read: ${error.message}`;
    return error.status !== 401;
  } finally {
    for (const tool of tools.values()) tool.models();
  }
  return true;
}

async function start() {
  build();
  buildKey();
  select(TOOLS[0].id);
  await loadModels();
  if (key.get()) showKey("A key is in use.");
  restore();
  addEventListener("hashchange", restore);
}

start();
