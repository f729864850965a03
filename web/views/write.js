// The model writes, symbol by symbol: the dice, what else could have come, other ways on from any symbol.
import { alternatives, named } from "../alternatives.js";
import { Newest, stream } from "../api.js";
import { PointableText } from "../coloured.js";
import { button, controls, numberField, slider, textField } from "../controls.js";
import { element, problem, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { asked, needsFirstSymbol } from "../models.js";
import { Picture } from "../picture.js";
import { bits, counted, decimals, joined, Pieces, shown } from "../symbols.js";

export const title = "Write";
export const sentence =
  "The model gives every symbol a share of a bar, a die falls on it, and the symbol under it is written: " +
  "the same seed writes the same text.";
export const tasks = ["language", "conditional"];
export const example = examples.prompt;
export const needs = "this view writes with language models.";

const TOP = 8;
const LONGEST_BRANCH = 16;
const TEMPERATURES = { min: 0, max: 2 };
const TOP_K = { min: 0, max: 1000 };
const TOP_P = { min: 0.05, max: 1 };
const LENGTHS = { min: 10, max: 1000 };
const SEEDS = { min: 0, max: Number.MAX_SAFE_INTEGER };
const MOST_DRAWN = 200; // symbols whose die the engine draws
const COUNTS = { min: 2, max: 20 };
const NOT_DRAWN = `The model’s own shares; the die is drawn for the first ${MOST_DRAWN} symbols:`;

export function create(page) {
  return new Write(page);
}

class Write {
  #page;
  #newest = new Newest();
  #prompt = textField("Beginning", (text) => link.set({ text, at: undefined }), { lines: 2 });
  #temperature = slider("Temperature", (value) => link.set({ temperature: value }), {
    ...TEMPERATURES,
    step: 0.05,
    say: (value) => value.toFixed(2),
  });
  #topK = numberField("Top-k (0: all)", (value) => link.set({ top_k: value }), TOP_K);
  #topP = slider("Top-p", (value) => link.set({ top_p: value }), {
    ...TOP_P,
    step: 0.05,
    say: (value) => (value === 1 ? "all" : value.toFixed(2)),
  });
  #length = slider("Symbols to write", (value) => link.set({ length: value, at: undefined }), {
    ...LENGTHS,
    step: 10,
  });
  #seed = numberField("Seed", (value) => link.set({ seed: value }), SEEDS);
  #count = slider("Continuations", (value) => link.set({ count: value }), COUNTS);
  #text = new PointableText("The text that the model wrote", (index) => this.#point(index));
  #details = element("div", { class: "details", "aria-live": "polite" });
  #problem = problem();
  #needs = element("p", { class: "notice", hidden: true });
  #dice = new Picture("The die that chose this symbol", (svg) => {
    const needle = svg.querySelector(".needle");
    if (needle) this.#dice.bringIntoView(needle);
  });
  #tree = new Picture("Other texts from the same beginning");
  #written = [];
  #pieces = new Pieces();
  #asked = "";
  #fields = null;

  constructor(page) {
    this.#page = page;
    this.element = element(
      "div",
      {},
      controls(
        this.#prompt,
        this.#temperature,
        this.#topK,
        this.#topP,
        this.#length,
        this.#seed,
        button("Another seed", () =>
          link.set({ seed: Math.floor(Math.random() * 1e6), at: undefined }, { remember: true }),
        ),
      ),
      this.#problem,
      this.#needs,
      element("div", { class: "beside" }, element("div", { class: "paper" }, this.#text.element), this.#details),
      this.#dice.element,
      element(
        "section",
        { "aria-label": "Continuations" },
        element("h2", {}, "Other ways on"),
        controls(this.#count),
        this.#tree.element,
      ),
    );
  }

  async show(model, example) {
    const prompt = link.get("text") ?? example;
    this.#fields = {
      ...asked(model),
      prompt,
      max_tokens: link.whole("length", 200, LENGTHS),
      temperature: link.number("temperature", 0.8, TEMPERATURES),
      top_k: link.whole("top_k", 0, TOP_K),
      top_p: link.number("top_p", 1, TOP_P),
      seed: link.whole("seed", 1, SEEDS),
    };
    const { temperature, top_k, top_p, seed, max_tokens: length } = this.#fields;
    const count = link.whole("count", 10, COUNTS);
    this.#prompt.give(prompt);
    this.#temperature.give(temperature);
    this.#topK.give(top_k);
    this.#topP.give(top_p);
    this.#length.give(length);
    this.#seed.give(seed);
    this.#count.give(count);
    const lacks = prompt === "" && needsFirstSymbol(model);
    this.#needs.hidden = !lacks;
    if (lacks) {
      this.#rest();
      this.#needs.textContent =
        `${model.id} was trained with --begin none: it predicts nothing before it has read a symbol. ` +
        `Begin with one, such as ${shown(model.symbols[0])}.`;
      return;
    }
    await this.#write();
    this.#tree.draw({
      picture: "tree",
      ...this.#sampling(),
      count,
      length: Math.min(length, LONGEST_BRANCH),
    });
    const at = link.whole("at", 0, { min: 0, max: Math.max(this.#text.length - 1, 0) });
    if (at !== this.#text.current) this.#text.choose(at);
  }

  close() {
    this.#newest.stop();
  }

  // Nothing is written.
  #rest() {
    this.#newest.stop();
    this.#asked = "";
    this.#written = [];
    this.#text.clear();
    this.#details.replaceChildren();
    this.#dice.hide();
    this.#tree.hide();
  }

  // What pictures of the text are asked for with.
  #sampling() {
    const { model, label, prompt, temperature, top_k, top_p, seed } = this.#fields;
    return { model, label, prompt, temperature, top_k: top_k > 0 ? top_k : undefined, top_p, seed };
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    return by !== undefined && this.#text.move(by);
  }

  async #write() {
    const asked = JSON.stringify(this.#fields);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#written = [];
    this.#pieces = new Pieces();
    this.#text.clear();
    this.#dice.hide();
    this.#problem.hidden = true;
    replaceChildren(
      this.#details,
      element(
        "p",
        { class: "note" },
        "Point at a symbol, or step with ← and →, to see what else could " +
          "have come, and to go on with that instead.",
      ),
    );
    const paper = element("p", {}, element("span", { class: "given" }, this.#fields.prompt));
    this.#text.element.append(paper);
    this.#text.element.setAttribute("aria-busy", "true");
    try {
      await this.#newest.run((signal) => this.#read(paper, signal));
      if (asked === this.#asked) this.#page.say(`Wrote ${counted(this.#written.length, "symbol")}`);
    } catch (error) {
      this.#problem.textContent = error.message;
      this.#problem.hidden = false;
      this.#asked = "";
    }
    if (!this.#newest.runs) this.#text.element.removeAttribute("aria-busy");
  }

  async #read(paper, signal) {
    for await (const { choices } of stream("v1/completions", { ...this.#fields, logprobs: TOP }, signal)) {
      if (signal.aborted) return;
      for (const { logprobs } of choices) this.#append(paper, logprobs);
    }
  }

  #append(paper, { tokens, token_logprobs: logProbs, top_logprobs: tops }) {
    tokens.forEach((token, i) => {
      this.#written.push({ token, logProb: logProbs[i], top: tops[i] });
      this.#text.add(paper, this.#pieces.next(token));
    });
  }

  #point(index) {
    const { token, logProb, top } = this.#written[index];
    const rank = Object.values(top).filter((other) => other > logProb).length + 1;
    replaceChildren(
      this.#details,
      element("h2", {}, `Symbol ${index + 1}: `, named(token)),
      element(
        "p",
        { class: "note" },
        rank <= TOP ? `Rank ${rank}` : `Not among the first ${TOP}`,
        ", ",
        `${decimals(bits(-logProb))} bits of surprise.`,
      ),
      element("p", { class: "note" }, index < MOST_DRAWN ? ofWhom(this.#fields) : NOT_DRAWN),
      alternatives(top, token, (symbol) => this.#fork(index, symbol)),
    );
    if (index !== link.number("at", 0)) link.set({ at: index });
    if (index >= MOST_DRAWN) this.#dice.hide();
    else this.#dice.draw({ picture: "dice", ...this.#sampling(), at: index });
  }

  // Goes on with another symbol at `index`.
  #fork(index, symbol) {
    const kept = joined(this.#written.slice(0, index).map(({ token }) => token));
    this.#page.say(`Goes on with ${shown(symbol)}`);
    link.set({ text: this.#fields.prompt + kept + symbol, at: undefined }, { remember: true });
  }
}

// Whose shares stand beside the text: temperature and filters change those of the die alone.
function ofWhom({ temperature, top_k, top_p }) {
  if (temperature === 0) return "The model’s own shares; at temperature 0 the first of them is written without a die:";
  if (temperature === 1 && top_k === 0 && top_p === 1) return "The model’s shares, and the die’s:";
  return "The model’s own shares; those of the die, as the sliders change them, are below:";
}
