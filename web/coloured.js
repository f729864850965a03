// A text whose symbols can be pointed at, one by one: with the pointer, and with ← and → once it has the focus.
import { element } from "./elements.js";

export class PointableText {
  #spans = [];
  #current = -1;
  #point;
  #hovers;

  // `point(index)` is called when a symbol is chosen, and where `hovers` also when the pointer is over one and none is
  // chosen.
  constructor(label, point, { hovers = false } = {}) {
    this.#point = point;
    this.#hovers = hovers;
    this.element = element("div", {
      class: "symbols",
      tabindex: "0",
      role: "application", // so that screen readers leave ← and → to it
      dir: "auto",
      "aria-label": label,
      "aria-roledescription": "text to step through",
      "aria-keyshortcuts": "ArrowLeft ArrowRight",
      pointerover: (event) => this.#hover(event),
      click: (event) => this.#click(event),
      keydown: (event) => this.#key(event),
      focus: () => this.#current < 0 && this.element.matches(":focus-visible") && this.choose(0),
    });
  }

  get length() {
    return this.#spans.length;
  }

  get current() {
    return this.#current;
  }

  clear() {
    this.#spans = [];
    this.#current = -1;
    this.element.replaceChildren();
  }

  // Adds a symbol to `parent`, an element of this text.
  add(parent, shownAs, className) {
    const span = element("span", { class: className, "data-i": String(this.#spans.length) }, shownAs);
    this.#spans.push(span);
    parent.append(span);
  }

  // Moves the choice by so many symbols. Whether there was one to move to.
  move(by) {
    if (this.#spans.length === 0) return false;
    this.choose(Math.min(Math.max(this.#current + by, 0), this.#spans.length - 1));
    this.#spans[this.#current].scrollIntoView({ block: "nearest" });
    return true;
  }

  choose(index) {
    if (index >= this.#spans.length) return;
    this.#spans[this.#current]?.classList.remove("chosen");
    this.#current = index;
    this.#spans[index]?.classList.add("chosen");
    this.#point(index);
  }

  #hover(event) {
    const index = indexAt(event);
    if (this.#hovers && this.#current < 0 && index !== undefined) this.#point(index);
  }

  #click(event) {
    const index = indexAt(event);
    if (index !== undefined) this.choose(index);
  }

  #key(event) {
    const rightToLeft = getComputedStyle(this.element).direction === "rtl";
    const by = { ArrowRight: rightToLeft ? -1 : 1, ArrowLeft: rightToLeft ? 1 : -1, Home: -Infinity, End: Infinity }[
      event.key
    ];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(by);
  }
}

function indexAt(event) {
  const span = event.target.closest("[data-i]");
  return span ? Number(span.dataset.i) : undefined;
}
