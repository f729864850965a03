// How far gradients reach: this model, others, untrained ones whose start can be set.
import { controls, slider, textField, tick } from "../controls.js";
import { element, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { modelsFor } from "../models.js";
import { Picture } from "../picture.js";
import { counted, decimals, percent } from "../symbols.js";

export const title = "Gradients";
export const sentence =
  "How much of a prediction's gradient is left some steps before it: a straight line down means that what " +
  "the network read a while ago can hardly teach it.";
export const tasks = ["language"];
export const example = examples.passage;
export const needs = "this view follows gradients through language models.";

const CURVES = 6; // in one picture
const LENGTHS = [1, 2, 4, 8, 16, 32, 64];
const LAGS = { min: 5, max: 200 };
const RADII = { min: 0.5, max: 2.5 };
const BIASES = { min: 0, max: 3 };
const STEPS = { min: 1, max: 64 };

export function create() {
  return new Gradients();
}

class Gradients {
  #text = textField("Text", (text) => link.set({ text }), { lines: 3 });
  #lags = slider("Steps back", (lags) => link.set({ lags }), { ...LAGS, step: 5 });
  #beside = element("fieldset", { class: "ticks" });
  #most = element("p", { class: "note" }, `${CURVES - 1} stand beside it, and no more do in one picture.`);
  #radius = slider("Radius of W, of an untrained tanh network", (radius) => link.set({ radius }), {
    ...RADII,
    step: 0.05,
    say: (radius) => radius.toFixed(2),
  });
  #forget = slider("Forget bias, of an untrained LSTM", (forget) => link.set({ forget }), {
    ...BIASES,
    step: 0.25,
    say: (bias) => bias.toFixed(2),
  });
  #truncate = slider("Length of BPTT", (steps) => link.set({ truncate: steps }), {
    ...STEPS,
    say: (steps) => counted(steps, "step"),
  });
  #gradient = new Picture("Gradients by lag");
  #untrained = new Picture("Gradients by lag in networks that have not learned yet");
  #left = element("p", { "aria-live": "polite" });
  #truncation = new Picture("What truncation loses at each length");

  constructor() {
    this.element = element(
      "div",
      {},
      controls(this.#text, this.#lags),
      this.#beside,
      this.#most,
      this.#gradient.element,
      element(
        "section",
        { "aria-labelledby": "untrained" },
        element("h2", { id: "untrained" }, "Before training"),
        element(
          "p",
          {},
          "Whether a network can learn over long distances is decided at its start: by the radius of W, the " +
            "factor at which states grow or shrink from step to step, and in an LSTM by the bias of its forget gate.",
        ),
        controls(this.#radius, this.#forget),
        this.#untrained.element,
      ),
      element(
        "section",
        { "aria-labelledby": "truncation" },
        element("h2", { id: "truncation" }, "What truncation loses"),
        element(
          "p",
          {},
          "Training goes back a limited number of steps. Here is the gradient of the weights that this leaves, " +
            "compared with the whole one.",
        ),
        controls(this.#truncate),
        this.#left,
        this.#truncation.element,
      ),
    );
  }

  async show(model, example) {
    const text = link.get("text") ?? example;
    this.#text.give(text);
    if (text === "") {
      for (const picture of [this.#gradient, this.#untrained, this.#truncation]) picture.hide();
      this.#left.replaceChildren();
      return;
    }
    const lags = link.whole("lags", 60, LAGS);
    const radius = link.number("radius", 1, RADII);
    const forget = link.number("forget", 1, BIASES);
    const truncate = link.whole("truncate", 16, STEPS);
    this.#lags.give(lags);
    this.#radius.give(radius);
    this.#forget.give(forget);
    this.#truncate.give(truncate);
    const beside = this.#drawOthers(model);
    const asked = { model: model.id, text };
    const [, , truncation] = await Promise.all([
      this.#gradient.draw({ picture: "gradient", ...asked, beside, lags }),
      this.#untrained.draw({
        picture: "gradient",
        ...asked,
        lags,
        untrained: [
          { cell: "rnn-tanh", hidden: 64, radius },
          { cell: "gru", hidden: 64 },
          { cell: "lstm", hidden: 64, forget_bias: forget },
        ],
      }),
      this.#truncation.draw({
        picture: "truncation",
        ...asked,
        truncate,
        lengths: [...new Set([...LENGTHS, truncate])].sort((a, b) => a - b),
      }),
    ]);
    if (truncation !== undefined) this.#tellLeft(truncation?.table, truncate);
  }

  // What is left of the gradient of all recurrent weights at the length chosen.
  #tellLeft(table, truncate) {
    const row = table?.rows.find(([length]) => length === truncate);
    if (!row) {
      this.#left.replaceChildren();
      return;
    }
    const [cosine, ratio] = ["cosine layers", "norm ratio layers"].map((name) => row[table.columns.indexOf(name)]);
    this.#left.textContent =
      `At ${counted(truncate, "step")} the gradient of the recurrent layers has ${percent(ratio)} of its length, ` +
      `and a cosine of ${decimals(cosine, 3)} with the whole one` +
      (cosine > 0.9995 && ratio > 0.9995 ? ": nothing is lost on this text." : ".");
  }

  // The others to choose from; returns those that are chosen: the program's own unless the link says else.
  #drawOthers(model) {
    const others = modelsFor(tasks).filter((other) => other !== model);
    const named = link.get("beside") !== undefined;
    const chosen = others
      .filter((other) => (named ? link.list("beside").includes(other.id) : other.twin))
      .slice(0, CURVES - 1)
      .map(({ id }) => id);
    this.#beside.hidden = others.length === 0;
    const shown = [...this.#beside.querySelectorAll("input")].map((box) => box.value).join();
    if (shown !== others.map(({ id }) => id).join()) {
      replaceChildren(
        this.#beside,
        element("legend", {}, "Beside it"),
        others.map((other) => {
          const box = tick(other.id, () => this.#chooseOthers());
          box.control.value = other.id;
          return box.element;
        }),
      );
    }
    const isFull = chosen.length === CURVES - 1;
    for (const box of this.#beside.querySelectorAll("input")) {
      box.checked = chosen.includes(box.value);
      box.disabled = isFull && !box.checked;
    }
    this.#most.hidden = !isFull || others.length === chosen.length;
    return chosen;
  }

  #chooseOthers() {
    link.set({ beside: [...this.#beside.querySelectorAll("input:checked")].map((box) => box.value).join(",") });
  }
}
