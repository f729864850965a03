// A text coloured by how much it surprises the model, beside another text or another model.
import { alternatives, named } from "../alternatives.js";
import { afterPause, Newest, post } from "../api.js";
import { PointableText } from "../coloured.js";
import { button, choice, controls, textField } from "../controls.js";
import { breathe, element, problem, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { modelsFor } from "../models.js";
import { Picture } from "../picture.js";
import { bits, count, decimals, shown } from "../symbols.js";

export const title = "Read";
export const sentence =
  "The more a symbol surprises the model, the stronger its colour: a text like those that it learned from stays " +
  "plain, and the place where a sentence goes wrong stands out.";
export const tasks = ["language"];
export const example = examples.pair;
export const needs = "this view reads with language models.";

const TOP = 8;
const LINES_AT_ONCE = 200;
const SYMBOLS_AT_ONCE = 400;
const LIMITS = [0.5, 1, 2, 4, 6, 9, 13]; // bits; from the last on it is s7, the strongest of the classes s0 ... s7
const PLAIN = 3; // powers of ten, below which a number is written out
const PICTURED = 4000; // characters of which the running sums are drawn, at most

export function create(page) {
  return new Read(page);
}

class Read {
  #page;
  #text = textField("Your text", (text) => link.set({ text }), { lines: 3 });
  #beside = choice("Compare with", (value) => this.#compare(value));
  #second = textField("The other text", (second) => link.set({ second }), { lines: 3 });
  #shuffle = button("Shuffle its words again", () => link.set({ second: shuffled(this.#first.text) }));
  #columns = element("div", { class: "columns" });
  #details = element("div", { class: "details", "aria-live": "polite", hidden: true });
  #headline = element("p", { class: "headline", hidden: true });
  #totals = element("div", { class: "totals" });
  #scale = scale();
  #sumsTitle = element("h2", {});
  #sums = new Picture("Running sums of surprise");
  #first;
  #other;

  constructor(page) {
    this.#page = page;
    const reading = (name) => new Reading(name, (symbol, from) => this.#point(symbol, from));
    this.#first = reading("The text, coloured");
    this.#other = reading("The other one, coloured");
    this.#columns.append(this.#first.element, this.#other.element);
    this.element = element(
      "div",
      {},
      element("div", { class: "columns" }, this.#text.element, this.#second.element),
      controls(this.#beside, this.#shuffle),
      this.#headline,
      this.#scale,
      element("div", { class: "beside" }, this.#columns, this.#details),
      this.#totals,
      element("section", { "aria-label": "Running sums" }, this.#sumsTitle, this.#sums.element),
    );
  }

  async show(model, example) {
    const isExample =
      link.get("text") === undefined && link.get("second") === undefined && link.get("beside") === undefined;
    const text = link.get("text") ?? example[0];
    const second = isExample ? example[1] : link.get("second");
    const [beside] = second === undefined ? link.list("beside") : [];
    this.#text.give(text);
    this.#second.give(second ?? "");
    this.#second.element.hidden = this.#shuffle.hidden = second === undefined;
    this.#other.element.hidden = second === undefined && beside === undefined;
    this.#beside.give(
      [
        ["", "nothing"],
        ["text", "another text"],
        ...modelsFor(tasks)
          .filter((other) => other !== model)
          .map(({ id }) => ["model " + id, "the model " + id]),
      ],
      second !== undefined ? "text" : beside !== undefined ? "model " + beside : "",
    );
    const request = { picture: "surprisal", model: model.id, text: beginning(text) };
    if (beginning(second ?? "") !== "") request.second = beginning(second);
    if (beside !== undefined) request.beside = beside;
    this.#sumsTitle.textContent = [text, second ?? ""].some((one) => beginning(one) !== one)
      ? "Running sums, of the beginning"
      : "Running sums";
    const isEmpty = text === "" && (second ?? "") === "";
    this.#scale.hidden = this.#columns.hidden = isEmpty;
    this.#sumsTitle.hidden = beginning(text) === "";
    if (isEmpty) this.#details.hidden = true;
    const named = second === undefined && beside !== undefined;
    await Promise.all([
      this.#first.read(model.id, text, named ? model.id : ""),
      this.#other.element.hidden
        ? this.#other.clear()
        : this.#other.read(beside ?? model.id, second ?? text, beside ?? ""),
      request.text === "" ? this.#sums.hide() : this.#sums.draw(request),
    ]);
    this.#tellTotals();
  }

  close() {
    this.#first.clear();
    this.#other.clear();
  }

  key(event) {
    return this.#first.key(event);
  }

  #compare(value) {
    if (value === "") link.set({ text: this.#first.text, second: undefined, beside: undefined });
    else if (value === "text")
      link.set({ text: this.#first.text, second: shuffled(this.#first.text), beside: undefined });
    else link.set({ text: this.#first.text, second: undefined, beside: value.slice("model ".length) });
  }

  // How much more probable one is than the other, as `unroll score` says it.
  #tellHeadline() {
    this.#headline.hidden = !this.#first.isRead || !this.#other.isRead;
    if (this.#headline.hidden) return;
    const powers = Math.abs(this.#first.logProb - this.#other.logProb) / Math.LN10;
    const times =
      powers < PLAIN ? [Number((10 ** powers).toPrecision(3))] : ["10", element("sup", {}, decimals(powers, 1))];
    const byModels = this.#second.element.hidden;
    const names = ["first", "second"];
    if (this.#first.logProb < this.#other.logProb) names.reverse();
    const [more, less] = names;
    const [who, than] = byModels ? [`To the ${more} model the text`, `to the ${less}`] : [`The ${more}`, `the ${less}`];
    replaceChildren(
      this.#headline,
      times[0] === 1
        ? byModels
          ? "To both models the text is equally probable."
          : "Both are equally probable."
        : [`${who} is `, times, ` times as probable as ${than}.`],
    );
  }

  #tellTotals() {
    this.#tellHeadline();
    const readings = [this.#first, this.#other].filter((reading) => reading.isRead);
    const rows = [
      ["log-probability", ({ logProb }) => `${decimals(logProb, 2)} nats`],
      ["bits per byte", ({ logProb, bytes }) => decimals(bits(-logProb) / bytes, 3)],
      ["bits per symbol", ({ logProb, symbols }) => decimals(bits(-logProb) / symbols, 3)],
      ["symbols", ({ symbols }) => count(symbols)],
    ];
    replaceChildren(
      this.#totals,
      readings.length > 0 &&
        element(
          "table",
          {},
          element("caption", { class: "unseen" }, "Totals"),
          readings.length > 1 &&
            element(
              "thead",
              {},
              element(
                "tr",
                {},
                element("td", {}),
                ["first", "second"].map((name) => element("th", { scope: "col" }, name)),
              ),
            ),
          element(
            "tbody",
            {},
            rows.map(([name, value]) =>
              element(
                "tr",
                {},
                element("th", { scope: "row" }, name),
                readings.map((reading) => element("td", { class: "number" }, value(reading))),
              ),
            ),
          ),
        ),
    );
    if (readings.length > 0) {
      this.#page.say(
        readings.map(({ logProb, bytes }) => `${decimals(bits(-logProb) / bytes, 3)} bits per byte`).join("; "),
      );
    }
  }

  #point(symbol, reading) {
    this.#details.hidden = false;
    const place = element("div", { class: "place" });
    replaceChildren(
      this.#details,
      element("h2", {}, named(symbol.text)),
      element(
        "p",
        {},
        element("b", {}, `${decimals(bits(-symbol.logProb))} bits`),
        ` of surprise, rank ${count(symbol.rank)}`,
      ),
      element("p", { class: "note" }, `${decimals(bits(symbol.entropy))} bits expected`),
      place,
    );
    this.#tellAlternatives(symbol, reading, place);
  }

  #tellAlternatives = afterPause(async (symbol, reading, place) => {
    const top = await reading.alternatives(symbol).catch(() => undefined);
    if (top) place.replaceChildren(element("p", { class: "note" }, "Expected here:"), alternatives(top, symbol.text));
  }, 120);
}

// One text read by one model.
class Reading {
  text = "";
  isRead = false;
  #model = "";
  #asked = "";
  #newest = new Newest();
  #beside = new Newest();
  #symbols = [];
  #name = element("h2", { hidden: true });
  #problem = problem();
  #coloured;

  constructor(label, point) {
    this.#coloured = new PointableText(label, (index) => point(this.#symbols[index], this), { hovers: true });
    this.element = element("div", { class: "paper" }, this.#name, this.#problem, this.#coloured.element);
  }

  async read(model, text, name) {
    this.#name.hidden = name === "";
    this.#name.textContent = name;
    const asked = JSON.stringify([model, text]);
    if (asked === this.#asked) return;
    this.clear();
    this.#asked = asked;
    this.#model = model;
    this.text = text;
    if (text === "") return;
    this.#coloured.element.setAttribute("aria-busy", "true");
    try {
      await this.#newest.run((signal) => this.#readLines(signal));
    } catch (error) {
      this.#asked = "";
      this.#problem.textContent = error.message;
      this.#problem.hidden = false;
    }
    if (!this.#newest.runs) this.#coloured.element.removeAttribute("aria-busy");
  }

  clear() {
    this.#newest.stop();
    this.#beside.stop();
    this.#asked = "";
    this.isRead = false;
    this.logProb = this.bytes = this.symbols = 0;
    this.#symbols = [];
    this.#problem.hidden = true;
    this.#coloured.clear();
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    return by !== undefined && this.#coloured.move(by);
  }

  // The symbols that the model found most probable where `symbol` stands.
  async alternatives(symbol) {
    const answer = await this.#beside.run((signal) =>
      post(
        "v1/completions",
        { model: this.#model, prompt: symbol.before(), max_tokens: 1, temperature: 0, logprobs: TOP },
        signal,
      ),
    );
    return answer?.choices[0].logprobs.top_logprobs[0];
  }

  async #readLines(signal) {
    const lines = this.text.replace(/\n$/, "").split("\n");
    for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
      const some = lines.slice(from, from + LINES_AT_ONCE);
      const { data } = await post("v1/score", { model: this.#model, text: some }, signal);
      for (let i = 0; i < data.length; ++i) await this.#append(some[i], data[i], signal);
    }
    this.isRead = !signal.aborted;
  }

  async #append(line, scored, signal) {
    const bytes = new TextEncoder().encode(line + "\n");
    const isAscii = bytes.length === line.length + 1;
    const decoder = new TextDecoder();
    const slice = (from, to) =>
      isAscii ? line.slice(from, to) : decoder.decode(bytes.subarray(from, Math.min(to, bytes.length - 1)));
    const place = element("p", { dir: "auto" });
    this.#coloured.element.append(place);
    this.logProb += scored.log_prob;
    this.bytes += bytes.length;
    this.symbols += scored.tokens.length;
    for (let i = 0; i < scored.tokens.length; ++i) {
      const token = scored.tokens[i];
      const text = slice(token.offset, scored.tokens[i + 1]?.offset ?? bytes.length);
      const written = text.trim() === "" ? text : text.trimEnd();
      const { log_prob: logProb, rank, entropy } = token;
      this.#symbols.push({ text: token.text, logProb, rank, entropy, before: () => slice(0, token.offset) });
      this.#coloured.add(place, written === "" ? shown("\n") : written, "s" + degree(bits(-logProb)));
      if (written.length < text.length) place.append(text.slice(written.length));
      if (this.#symbols.length % SYMBOLS_AT_ONCE === 0) {
        await breathe();
        if (signal.aborted) return;
      }
    }
  }
}

// As much of a text as sums are drawn of, up to the last whole word of it.
function beginning(text) {
  const characters = [...text];
  if (characters.length <= PICTURED) return text;
  const cut = characters.slice(0, PICTURED).join("");
  return cut.replace(/\s\S*$/, "");
}

function degree(surprise) {
  const class_ = LIMITS.findIndex((limit) => surprise < limit);
  return class_ < 0 ? LIMITS.length : class_;
}

function scale() {
  return element(
    "p",
    { class: "scale", "aria-hidden": "true" },
    "bits of surprise ",
    [0, ...LIMITS].map((limit, i) => element("span", { class: "s" + i }, `${limit}${i === LIMITS.length ? "+" : ""}`)),
  );
}

function shuffled(text) {
  const words = text.split(/\s+/).filter((word) => word !== "");
  for (let i = words.length - 1; i > 0; --i) {
    const j = Math.floor(Math.random() * (i + 1));
    [words[i], words[j]] = [words[j], words[i]];
  }
  return words.join(" ");
}
