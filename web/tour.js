// A chapter of the tutorial beside the page: each stop has words and a link, which sets the page.
import { element, replaceChildren } from "./elements.js";
import { link } from "./link.js";

export class Tour {
  #tours = [];
  #at = "";
  #look; // what the stop speaks of, until it was brought into view

  element = element("aside", { class: "tour", "aria-label": "Tour", hidden: true });

  async load() {
    try {
      this.#tours = (await import("./tours.js")).tours;
    } catch {
      this.#tours = [];
    }
  }

  show() {
    const chapter = link.whole("tour", 0, { min: 1, max: Math.max(this.#tours.length, 1) });
    const tour = this.#tours[chapter - 1];
    this.element.hidden = !tour;
    if (!tour) {
      this.#at = "";
      return;
    }
    const stop = link.whole("stop", 1, { min: 1, max: tour.stops.length });
    const at = `${chapter}.${stop}`;
    if (at === this.#at) return;
    this.#at = at;
    this.#look = tour.stops[stop - 1].look;
    this.#draw(tour, chapter, stop);
    if (link.get("stop") === undefined) this.#go(tour, chapter, stop, false);
  }

  // Scrolls to what a new stop speaks of, unless all of it is seen.
  look() {
    const part = this.#look && document.querySelector(this.#look);
    this.#look = undefined;
    if (!part) return;
    const { top, bottom } = part.getBoundingClientRect();
    const own = this.element.getBoundingClientRect();
    const isBelow = own.bottom >= innerHeight - 1; // the words, under the page
    if (top < 0 || bottom > (isBelow ? own.top : innerHeight)) part.scrollIntoView({ block: "start" });
  }

  #draw(tour, chapter, stop) {
    const last = stop === tour.stops.length;
    const words = element(
      "div",
      { class: "words", "aria-live": "polite" },
      String(tour.stops[stop - 1].words)
        .split(/\n\s*\n/)
        .map((part) => element("p", { dir: "auto" }, part)),
    );
    replaceChildren(
      this.element,
      element(
        "div",
        { class: "head" },
        element("h2", {}, `${chapter}. ${tour.title}`),
        element(
          "button",
          { type: "button", class: "quiet", "aria-label": "End the tour", click: () => this.#end() },
          "✕",
        ),
      ),
      words,
      element(
        "div",
        { class: "steps" },
        element(
          "button",
          { type: "button", disabled: stop === 1, click: () => this.#go(tour, chapter, stop - 1) },
          "Previous",
        ),
        element("span", { class: "note" }, `${stop} of ${tour.stops.length}`),
        last && chapter < this.#tours.length
          ? element(
              "button",
              { type: "button", class: "primary", click: () => this.#go(this.#tours[chapter], chapter + 1, 1) },
              "Next chapter",
            )
          : element(
              "button",
              { type: "button", class: "primary", disabled: last, click: () => this.#go(tour, chapter, stop + 1) },
              "Next",
            ),
      ),
    );
  }

  #go(tour, chapter, stop, remember = true) {
    const [view, query = ""] = tour.stops[stop - 1].link.replace(/^#/, "").split(/\?(.*)/s);
    const values = new URLSearchParams(query);
    values.set("tour", chapter);
    values.set("stop", stop);
    link.go(view, values, remember);
    if (!remember) return;
    const [button] = ["button.primary", ".steps button"].flatMap((kind) => [
      ...this.element.querySelectorAll(kind + ":not(:disabled)"),
    ]);
    button?.focus({ preventScroll: true });
  }

  #end() {
    link.set({ tour: undefined, stop: undefined });
    document.querySelector("#main").focus();
  }
}
