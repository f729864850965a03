// A text coloured by how much it surprises the model, beside another text or another model.
import { alternatives, named } from "../alternatives.js";
import { afterPause, Newest, post } from "../api.js";
import { PointableText } from "../coloured.js";
import { button, choice, controls, textField } from "../controls.js";
import { breathe, element, problem, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { asked, modelNamed, modelsBeside } from "../models.js";
import { Picture } from "../picture.js";
import { bits, count, decimals, shown } from "../symbols.js";

export const title = "Read";
export const sentence =
  "The more a symbol surprises the model, the stronger its colour: a text like those that it learned from stays " +
  "plain, and the place where a sentence goes wrong stands out.";
export const tasks = ["language", "conditional"];
export const example = examples.pair;
export const needs = "this view reads with language models.";

const TOP = 8;
const LINES_AT_ONCE = 200;
const SYMBOLS_AT_ONCE = 400;
const LIMITS = [0.5, 1, 2, 4, 6, 9, 13]; // bits; from the last on it is s7, the strongest of the classes s0 ... s7
const ORDINALS = ["first", "second"];
const NOT_COMPARABLE =
  "* does not compare with other models’: here not every byte of the text is predicted as itself (unknown symbols are " +
  "read as <unk>, or the tokenizer drops some spaces or letters’ case).";
const PLAIN = 3; // powers of ten, below which a number is written out
const PICTURED = 4000; // characters of which the running sums are drawn, at most

export function create(page) {
  return new Read(page);
}

class Read {
  #page;
  #text = textField("Your text", (text) => link.set({ text, at: undefined, of: undefined }), { lines: 3 });
  #beside = choice("Compare with", (value) => this.#compare(value));
  #second = textField("The other text", (second) => link.set({ second, at: undefined, of: undefined }), { lines: 3 });
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
    const reading = (name) => new Reading(name, (...about) => this.#point(...about));
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
        ...modelsBeside(model).map(({ id }) => ["model " + id, "the model " + id]),
      ],
      second !== undefined ? "text" : beside !== undefined ? "model " + beside : "",
    );
    const request = { picture: "surprisal", ...asked(model), text: beginning(text) };
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
    const at = link.whole("at");
    if (at !== undefined) (link.get("of") === ORDINALS[1] ? this.#other : this.#first).choose(at);
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
    const byModels = this.#second.element.hidden;
    if (byModels && !(this.#first.totals.comparable && this.#other.totals.comparable)) {
      this.#headline.textContent = "The totals of the two models do not compare.";
      return;
    }
    const powers = Math.abs(this.#first.totals.log_prob - this.#other.totals.log_prob) / Math.LN10;
    const times =
      powers < PLAIN ? [Number((10 ** powers).toPrecision(3))] : ["10", element("sup", {}, decimals(powers, 1))];
    const names = ["first", "second"];
    if (this.#first.totals.log_prob < this.#other.totals.log_prob) names.reverse();
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
    const all = readings.map(({ totals }) => totals);
    const perByte = ({ log_prob, bytes }) => decimals(bits(-log_prob) / bytes, 3);
    const rows = [
      ["log-probability", ({ log_prob }) => `${decimals(log_prob, 2)} nats`],
      ["bits per byte", (totals) => perByte(totals) + (totals.comparable ? "" : " *")],
      ["bits per symbol", ({ log_prob, tokens }) => decimals(bits(-log_prob) / tokens, 3)],
      ["symbols", ({ tokens }) => count(tokens)],
      ...(all.some(({ unknown_tokens }) => unknown_tokens > 0)
        ? [["unknown to the model", ({ unknown_tokens }) => count(unknown_tokens)]]
        : []),
    ];
    const names = [this.#first, this.#other].flatMap((reading, i) => (reading.isRead ? [ORDINALS[i]] : []));
    replaceChildren(
      this.#totals,
      readings.length > 0 &&
        element(
          "table",
          {},
          element("caption", { class: "unseen" }, "Totals"),
          (readings.length > 1 || !this.#first.isRead) &&
            element(
              "thead",
              {},
              element(
                "tr",
                {},
                element("td", {}),
                names.map((name) => element("th", { scope: "col" }, name)),
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
                all.map((totals) => element("td", { class: "number" }, value(totals))),
              ),
            ),
          ),
        ),
      all.some(({ comparable }) => !comparable) && element("p", { class: "note" }, NOT_COMPARABLE),
    );
    if (all.length > 0) this.#page.say(all.map((totals) => `${perByte(totals)} bits per byte`).join("; "));
  }

  #point(symbol, reading, isChosen) {
    if (isChosen) link.set({ at: symbol.index, of: reading === this.#other ? ORDINALS[1] : undefined });
    this.#details.hidden = false;
    if (symbol.logProb === null) {
      replaceChildren(
        this.#details,
        element("h2", {}, element("bdi", { class: "symbol" }, shown(symbol.text))),
        element("p", { class: "note" }, "Given, not predicted: the model was trained with --begin none."),
      );
      return;
    }
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
      symbol.isUnknown && element("p", { class: "note" }, "Unknown to the model, which reads it as <unk>."),
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
  totals = null;
  #model = {}; // the fields that name it
  #asked = "";
  #newest = new Newest();
  #beside = new Newest();
  #symbols = [];
  #name = element("h2", { hidden: true });
  #problem = problem();
  #coloured;

  constructor(label, point) {
    this.#coloured = new PointableText(
      label,
      (index) => point(this.#symbols[index], this, index === this.#coloured.current),
      { hovers: true },
    );
    this.element = element("div", { class: "paper" }, this.#name, this.#problem, this.#coloured.element);
  }

  async read(model, text, name) {
    this.#name.hidden = name === "";
    this.#name.textContent = name;
    const known = modelNamed(model);
    const fields = known ? asked(known) : { model };
    const wanted = JSON.stringify([fields, text]);
    if (wanted === this.#asked) return;
    this.clear();
    this.#asked = wanted;
    this.#model = fields;
    this.text = text;
    if (text === "") return;
    this.#coloured.element.setAttribute("aria-busy", "true");
    try {
      await this.#newest.run((signal) => this.#readLines(signal));
    } catch (error) {
      if (wanted !== this.#asked) return;
      this.clear();
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
    this.totals = { log_prob: 0, tokens: 0, bytes: 0, unknown_tokens: 0, comparable: true };
    this.#symbols = [];
    this.#problem.hidden = true;
    this.#coloured.clear();
    this.#coloured.element.removeAttribute("aria-busy");
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    return by !== undefined && this.#coloured.move(by);
  }

  choose(index) {
    if (index < this.#symbols.length && index !== this.#coloured.current) this.#coloured.choose(index);
  }

  // The symbols that the model found most probable where `symbol` stands.
  async alternatives(symbol) {
    const answer = await this.#beside.run((signal) =>
      post(
        "v1/completions",
        { ...this.#model, prompt: symbol.before(), max_tokens: 1, temperature: 0, logprobs: TOP },
        signal,
      ),
    );
    return answer?.choices[0].logprobs.top_logprobs[0];
  }

  async #readLines(signal) {
    const lines = this.text.replace(/\n$/, "").split("\n");
    for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
      const some = lines.slice(from, from + LINES_AT_ONCE);
      const { data, totals } = await post("v1/score", { ...this.#model, text: some }, signal);
      if (signal.aborted) return;
      for (const key of ["log_prob", "tokens", "bytes", "unknown_tokens"]) this.totals[key] += totals[key];
      this.totals.comparable &&= totals.comparable;
      for (let i = 0; i < data.length; ++i) await this.#append(some[i], data[i], signal);
    }
    this.isRead = !signal.aborted;
  }

  async #append(line, scored, signal) {
    const bytes = new TextEncoder().encode(line + "\n");
    const isAscii = bytes.length === line.length + 1;
    const slice = (from, to, decoder = new TextDecoder(), options = {}) =>
      isAscii ? line.slice(from, to) : decoder.decode(bytes.subarray(from, Math.min(to, bytes.length - 1)), options);
    const inOrder = new TextDecoder();
    let unseen = 0; // surprise of the first bytes of a character, which is seen with the last of them
    const place = element("p", { dir: "auto" });
    this.#coloured.element.append(place);
    for (let i = 0; i < scored.tokens.length; ++i) {
      const token = scored.tokens[i];
      const ends = scored.tokens[i + 1]?.offset ?? bytes.length;
      const text = slice(token.offset, ends, inOrder, { stream: true });
      const written = text.trim() === "" ? text : text.trimEnd();
      const { log_prob: logProb, rank, entropy, unknown: isUnknown } = token;
      const index = this.#symbols.length;
      const before = () => slice(0, token.offset);
      this.#symbols.push({ text: token.text, index, logProb, rank, entropy, isUnknown, before });
      unseen += bits(-logProb);
      const isPart = text === "" && token.offset < bytes.length - 1;
      this.#coloured.add(place, written === "" && !isPart ? shown("\n") : written, isPart ? undefined : "s" + degree(unseen));
      if (!isPart) unseen = 0;
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
