// The page's link is its state: #VIEW?key=value&...

let view = "";
let values = new URLSearchParams();
let waiting = 0;
const listeners = [];
const PAUSE = 150; // milliseconds
const LARGEST = 2 ** 24; // whole number that the server takes

function read() {
  clearTimeout(waiting);
  const [name, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
  view = name;
  values = new URLSearchParams(query);
}

function tell() {
  for (const listener of listeners) listener();
}

read();
addEventListener("hashchange", () => {
  read();
  tell();
});

export const link = {
  get view() {
    return view;
  },

  // The value of a key, or undefined.
  get(key) {
    return values.get(key) ?? undefined;
  },

  // The value as a number, the nearest that the range has; `otherwise` where there is none.
  number(key, otherwise, { min = -Infinity, max = Infinity } = {}) {
    const value = Math.min(Math.max(Number.parseFloat(values.get(key)), min), max);
    return Number.isFinite(value) ? value : otherwise;
  },

  whole(key, otherwise, { min = 0, max = LARGEST } = {}) {
    const value = this.number(key, otherwise, { min, max });
    return value === undefined ? undefined : Math.round(value);
  },

  list(key) {
    return (values.get(key) ?? "").split(",").filter((entry) => entry !== "");
  },

  // Units of a layer that has so many.
  units(many, key = "unit") {
    const numbers = this.list(key)
      .map((entry) => Math.round(Number.parseFloat(entry)))
      .filter((unit) => !Number.isNaN(unit));
    return numbers.map((unit) => Math.min(Math.max(unit, 0), many - 1));
  },

  // Changes keys; undefined removes one. The way back leads here where `remember` is true.
  set(changes, { remember = false, to = view || "unrolled" } = {}) {
    const next = new URLSearchParams(values);
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) next.delete(key);
      else next.set(key, String(value));
    }
    this.go(to, next, remember);
  },

  go(to, next, remember = true) {
    const hash = this.of(to, next);
    if (hash === this.of(view, values)) return;
    if (remember) this.write();
    clearTimeout(waiting);
    view = to;
    values = next;
    if (remember) history.pushState(null, "", hash);
    else waiting = setTimeout(() => this.write(), PAUSE);
    tell();
  },

  // Gives the address bar what stands here. Browsers refuse addresses that change with every movement of a pointer.
  write() {
    clearTimeout(waiting);
    const hash = this.of(view, values);
    if (hash !== location.hash && view !== "") history.replaceState(null, "", hash);
  },

  of(to, next) {
    const query = next.toString();
    return "#" + to + (query ? "?" + query : "");
  },

  // A link to another view with these keys of this one, and with values for others.
  to(other, keys, more = {}) {
    const kept = new URLSearchParams();
    const given = [...keys.map((key) => [key, this.get(key)]), ...Object.entries(more)];
    for (const [key, value] of given) {
      if (value !== undefined) kept.set(key, value);
    }
    return this.of(other, kept);
  },

  listen(listener) {
    listeners.push(listener);
  },
};
