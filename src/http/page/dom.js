// Elements are made here and nowhere else: text goes in as text, so that a reply cannot become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; a property `on…` is a listener, `true` an empty attribute, `null` and `false` none. */
export function el(name, properties, ...children) {
  return build(document.createElement(name), properties, children);
}

export function svg(name, properties, ...children) {
  return build(document.createElementNS(SVG, name), properties, children);
}

function build(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

let labels = 0;

/** A labelled input: its label, what it means, and the input itself. */
export function field(label, input, hint) {
  input.id ||= `field-${++labels}`;
  const parts = [el("label", { for: input.id }, label), input];
  if (hint) {
    input.setAttribute("aria-describedby", `${input.id}-hint`);
    parts.push(el("p", { class: "hint", id: `${input.id}-hint` }, hint));
  }
  return el("div", { class: "field" }, parts);
}

/** What scrolls sideways has to be reached by keyboard, and therefore to have a name. */
export function scrolling(label, ...children) {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, children);
}

export function number(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  const small = value !== 0 && Math.abs(value) < 10 ** -digits;
  return (small ? String(Number(value.toPrecision(2))) : value.toFixed(digits)).replaceAll("-", "−");
}

/** A probability: never shown as 0 or 1, which no network says. */
export function probability(value) {
  if (value > 0.9999) return "above 0.9999";
  if (value < 0.0001) return "below 0.0001";
  return value.toFixed(4);
}

export function save(name, blob) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
