// How far gradients reach: this model, others, untrained ones whose start can be set.
import { Newest, post } from "../api.js";
import { button, controls, slider, textField, tick } from "../controls.js";
import { element, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { asked, modelsBeside, modelsFor, needsFirstSymbol } from "../models.js";
import { Picture } from "../picture.js";
import { counted, decimals, percent, shown } from "../symbols.js";
import { Saliency } from "./saliency.js";

export const title = "Gradients";
export const sentence =
  "How much of the gradient of a prediction, or of an answer, is left some steps before it: a straight line down means " +
  "that what the network read a while ago can hardly teach it.";
export const tasks = ["language", "conditional", "classify", "tag"];
export const example = async (model) =>
  answers(model) ? examples.labelled(model).join("\n") : examples.passage(model);
export const needs = "this view follows gradients through models that read a text.";

const CURVES = 6; // in one picture
const LENGTHS = [1, 2, 4, 8, 16, 32, 64];
const LAGS = { min: 5, max: 200 };
const RADII = { min: 0.5, max: 2.5 };
const BIASES = { min: 0, max: 3 };
const STEPS = { min: 1, max: 64 };
const BIAS_AT_FIRST = 1; // of forget gates, where training begins
const RADIUS_FACT = "untrained rnn-tanh radius";

// Words beside the number of a slider that nobody moved.
function asBegun(key) {
  return link.get(key) === undefined ? ", as training begins" : "";
}

// Whether it labels texts: only predictions of symbols are cut off by BPTT and have untrained networks beside them.
function answers(model) {
  return ["classify", "tag"].includes(model.task);
}

export function create(page) {
  return new Gradients(page);
}

class Gradients {
  #page;
  #newest = new Newest();
  #text = textField("Text", (text) => link.set({ text, at: undefined }), { lines: 3 });
  #one = tick("of one prediction", (on) => link.set({ at: on ? this.#last : undefined }));
  #oneSays = element("p", { class: "note" });
  #before = button("Before", () => this.#move(-1), { keys: "ArrowLeft" });
  #next = button("Next", () => this.#move(1), { keys: "ArrowRight" });
  #symbols = []; // of the text
  #least = 0; // the first step that predicts one of them
  #cut = ""; // into them
  #lags = slider("Steps back", (lags) => link.set({ lags }), { ...LAGS, step: 5 });
  #beside = element("fieldset", { class: "ticks" });
  #most = element("p", { class: "note" }, `${CURVES - 1} stand beside it, and no more do in one picture.`);
  #radius = slider("Radius of W, of an untrained tanh network", (radius) => link.set({ radius }), {
    ...RADII,
    step: 0.01,
    say: (radius) => radius.toFixed(2) + asBegun("radius"),
  });
  #forget = slider("Forget bias, of an untrained LSTM", (forget) => link.set({ forget }), {
    ...BIASES,
    step: 0.25,
    say: (bias) => bias.toFixed(2) + asBegun("forget"),
  });
  #truncate = slider("Length of BPTT", (steps) => link.set({ truncate: steps }), {
    ...STEPS,
    say: (steps) => counted(steps, "step"),
  });
  #gradient = new Picture("Gradients by lag");
  #saliency = new Saliency();
  #untrained = new Picture("Gradients by lag in networks that have not learned yet");
  #left = element("p", { "aria-live": "polite" });
  #bar;
  #ofPredictions; // the sections that only these have
  #truncation = new Picture("What truncation loses at each length");

  constructor(page) {
    this.#page = page;
    this.#bar = element("div", { class: "bar" }, this.#one.element, this.#before, this.#next);
    this.#ofPredictions = element(
      "div",
      {},
      this.#saliency.element,
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
        controls(
          this.#radius,
          this.#forget,
          button("As training begins", () => link.set({ radius: undefined, forget: undefined })),
        ),
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
    this.element = element(
      "div",
      {},
      controls(this.#text, this.#lags),
      this.#beside,
      this.#most,
      this.#bar,
      this.#oneSays,
      this.#gradient.element,
      this.#ofPredictions,
    );
  }

  async show(model, example) {
    const text = link.get("text") ?? example;
    this.#text.give(text);
    this.#ofPredictions.hidden = this.#bar.hidden = answers(model);
    const beside = this.#drawOthers(model);
    if (text === "") {
      for (const picture of [this.#gradient, this.#saliency, this.#untrained, this.#truncation]) picture.hide();
      this.#left.replaceChildren();
      this.#oneSays.textContent = "";
      return;
    }
    const lags = link.whole("lags", 60, LAGS);
    const radius = link.number("radius", undefined, RADII);
    const forget = link.number("forget", undefined, BIASES);
    const at = link.whole("at");
    const truncate = link.whole("truncate", 16, STEPS);
    this.#lags.give(lags);
    if (radius !== undefined) this.#radius.give(radius);
    this.#forget.give(forget ?? BIAS_AT_FIRST);
    this.#one.give(at !== undefined);
    this.#before.hidden = this.#next.hidden = at === undefined;
    this.#truncate.give(truncate);
    const request = { ...asked(model), text };
    if (answers(model)) {
      for (const picture of [this.#saliency, this.#untrained, this.#truncation]) picture.hide();
      this.#symbols = [];
      this.#cut = "";
      this.#oneSays.textContent = "Each line is a text; 1 is the step of the text with the largest gradient.";
      await this.#gradient.draw({ picture: "gradient", ...request, beside, lags });
      return;
    }
    const [, untrained, truncation] = await Promise.all([
      this.#gradient.draw({ picture: "gradient", ...request, beside, lags, at }),
      this.#untrained.draw({
        picture: "gradient",
        ...request,
        lags,
        untrained: [
          { cell: "rnn-tanh", hidden: 64, radius },
          { cell: "gru", hidden: 64 },
          { cell: "lstm", hidden: 64, forget_bias: forget },
        ],
      }),
      this.#truncation.draw({
        picture: "truncation",
        ...request,
        truncate,
        lengths: [...new Set([...LENGTHS, truncate])].sort((a, b) => a - b),
      }),
      this.#cutText(model, text),
      this.#saliency.show({ ...request, at }),
    ]);
    if (untrained && radius === undefined) this.#radius.give(untrained.facts[RADIUS_FACT]);
    this.#tellOne(at);
    if (truncation !== undefined) this.#tellLeft(truncation?.table, truncate);
  }

  close() {
    this.#newest.stop();
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by !== undefined) this.#move(by);
    return by !== undefined;
  }

  // To the prediction before or after; the first time to the last.
  #move(by) {
    if (this.#last < this.#least) return;
    const at = link.whole("at", this.#last - by) + by;
    link.set({ at: Math.min(Math.max(at, this.#least), this.#last) });
  }

  get #last() {
    return this.#symbols.length - 1;
  }

  // The symbols of the text: each step predicts one.
  async #cutText(model, text) {
    const wanted = JSON.stringify([model.id, text]);
    if (wanted === this.#cut) return;
    const request = { model: model.id, prompt: text, return_token_strs: true };
    const answer = await this.#newest.run((signal) => post("tokenize", request, signal)).catch(() => undefined);
    if (!answer) return;
    this.#cut = wanted;
    this.#symbols = answer.token_strs;
    this.#least = needsFirstSymbol(model) ? 1 : 0;
  }

  #tellOne(at) {
    const symbol = this.#symbols[at];
    this.#oneSays.textContent =
      at === undefined
        ? "The lines are medians over many predictions of the text, the bands their quartiles."
        : symbol === undefined
          ? ""
          : `What is left of the gradient of one prediction: of ${shown(symbol)} at step ${at} of ${this.#last}.`;
    if (at !== undefined) this.#page.say(this.#oneSays.textContent);
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
    const others = answers(model)
      ? modelsFor(["classify", "tag"]).filter((other) => other !== model)
      : modelsBeside(model);
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
