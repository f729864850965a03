// What one prediction depends on: point at a symbol, and those before it light up.
import { button } from "../controls.js";
import { element } from "../elements.js";
import { link } from "../link.js";
import { Picture } from "../picture.js";

export class Saliency {
  #page;
  #picture = new Picture("What a prediction depends on", (svg) => this.#clickable(svg));

  constructor(page) {
    this.#page = page;
    this.element = element(
      "section",
      { "aria-labelledby": "saliency" },
      element("h2", { id: "saliency" }, "One prediction"),
      element(
        "p",
        {},
        "The darker box is predicted. The stronger a symbol before it is coloured, the more the prediction would move " +
          "with it. Point at another symbol to see what its prediction rests on.",
      ),
      element(
        "div",
        { class: "bar" },
        button("Before", () => this.move(-1), { keys: "ArrowLeft" }),
        button("Next", () => this.move(1), { keys: "ArrowRight" }),
      ),
      this.#picture.element,
    );
  }

  // `asked`: the model, the text, and what else requests have in common.
  async show(asked) {
    await this.#picture.draw({ picture: "saliency", ...asked, at: link.whole("at", undefined, { min: 0 }) });
  }

  hide() {
    this.#picture.hide();
  }

  move(by) {
    const { facts } = this.#picture.answer ?? {};
    if (!facts) return false;
    this.#go(Math.min(Math.max(facts.at + by, 0), facts.steps - 1));
    return true;
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    return by !== undefined && this.move(by);
  }

  #go(at) {
    link.set({ at });
    this.#page.say(`The prediction at step ${at}`);
  }

  #clickable(svg) {
    for (const cell of svg.querySelectorAll("g.symbol-cell")) {
      const t = Number(cell.dataset.t);
      if (t > 0) cell.addEventListener("click", () => this.#go(t - 1));
    }
  }
}
