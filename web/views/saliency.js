// What one prediction depends on: point at a symbol, and those before it light up.
import { element } from "../elements.js";
import { link } from "../link.js";
import { Picture } from "../picture.js";

export class Saliency {
  #picture = new Picture("What a prediction depends on", clickable);

  constructor() {
    this.element = element(
      "section",
      { "aria-labelledby": "saliency" },
      element("h2", { id: "saliency" }, "What one prediction depends on"),
      element(
        "p",
        {},
        "The boxed symbol is predicted. The stronger the colour of a symbol before it, the more the prediction would " +
          "move with it. Point at another symbol, or go on with ← and →, to see what its prediction rests on.",
      ),
      this.#picture.element,
    );
  }

  async show(request) {
    await this.#picture.draw({ picture: "saliency", ...request });
  }

  hide() {
    this.#picture.hide();
  }
}

// A click chooses the step that predicts the symbol: the one before it is read.
function clickable(svg) {
  for (const cell of svg.querySelectorAll("g.symbol-cell")) {
    const t = Number(cell.dataset.t);
    if (t > 0) cell.addEventListener("click", () => link.set({ at: t - 1 }));
  }
}
