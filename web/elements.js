// Makes elements. Texts become text nodes: nothing of a text or of a vocabulary is ever read as markup.

// `attributes`: a function listens to the event of that name, true and false set or remove an attribute, undefined
// leaves it out. `children`: elements, texts, lists of both; null and false are left out.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) give(made, key, value);
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function give(made, key, value) {
  if (typeof value === "function") made.addEventListener(key, value);
  else if (typeof value === "boolean") made.toggleAttribute(key, value);
  else if (value !== undefined) made.setAttribute(key, value);
}

export function replaceChildren(parent, ...children) {
  parent.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

// A sentence of the engine's: what stands between backticks is code.
export function marked(sentence) {
  return sentence.split("`").map((part, i) => (i % 2 === 0 ? part : element("code", {}, part)));
}

// What went wrong, said at once to a screen reader; without words it waits for some.
export function problem(words) {
  return element("p", { class: "problem", role: "alert", hidden: words === undefined }, marked(words ?? ""));
}

// A picture of the engine's, as an element of this document.
export function svgElement(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg") throw new Error("the server's picture is no SVG");
  return document.importNode(parsed, true);
}

// Lets the page react to its user between two pieces of long work.
export function breathe() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
}
