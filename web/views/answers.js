// Classifiers and taggers: the answer after each word, and what moved it.
import { bar } from "../alternatives.js";
import { Newest, post } from "../api.js";
import { choice, controls, textField } from "../controls.js";
import { element, problem, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { modelsFor } from "../models.js";
import { Picture } from "../picture.js";
import { counted, percent } from "../symbols.js";

export const title = "Answers";
export const sentence =
  "A classifier says something of a text after every word, and its answer is what it says in the end; a tagger answers " +
  "for every word.";
export const tasks = ["classify", "tag"];
export const example = examples.labelled;
export const needs = "this view asks models that were trained to label texts (unroll train --task classify or tag).";

const SHOWN = 10; // labels

export function create(page) {
  return new Answers(page);
}

// What a classifier's answer is read off, by its readout.
const READOUTS = {
  last: (both) => (both ? "the last state of each direction alone" : "the last state alone"),
  max: () => "the largest value of each unit over all steps",
  mean: () => "the mean of the states of all steps",
  concat: () => "the last state, the largest values and the mean over all steps, side by side",
  attention: () => "a mean over all steps, whose weights it chooses for each text",
};

function readOff(model) {
  return `${model.id} reads its answer off ${READOUTS[model.readout](model.directions > 1)}.`;
}

class Answers {
  #page;
  #beside = choice("Compare with", (beside) => link.set({ beside: beside === "" ? undefined : beside }));
  #readout = element("p", { class: "note" });
  #first = new Answered("Your text", "text");
  #second = new Answered("Another text", "second");

  constructor(page) {
    this.#page = page;
    this.element = element(
      "div",
      { class: "answers" },
      this.#readout,
      controls(this.#beside),
      this.#first.element,
      this.#second.element,
    );
  }

  async show(model, [text, second] = []) {
    const isTagger = model.task === "tag";
    const isExample = link.get("text") === undefined && link.get("second") === undefined;
    const others = isTagger ? [] : modelsFor(["classify"]).filter((other) => other !== model);
    const beside = others.find(({ id }) => link.list("beside").includes(id));
    this.#beside.element.hidden = others.length === 0;
    this.#beside.give([["", "no other classifier"], ...others.map(({ id }) => [id, id])], beside?.id ?? "");
    this.#readout.textContent = isTagger
      ? "Click on a word to see what speaks for its tag; ← and → go to the next one."
      : [model, beside].filter(Boolean).map(readOff).join(" ");
    this.#second.element.hidden = isTagger;
    const [first] = await Promise.all([
      this.#first.show(model, link.get("text") ?? text, beside),
      isTagger ? null : this.#second.show(model, link.get("second") ?? (isExample ? second : ""), beside),
    ]);
    if (first) this.#page.say(first);
  }

  key(event) {
    return this.#first.key(event);
  }

  close() {
    this.#first.close();
    this.#second.close();
  }
}

class Answered {
  #newest = new Newest();
  #text;
  #answer = element("div", { class: "answer" });
  #picture;
  #asked = "";
  #words = []; // of a tagger, as buttons

  constructor(label, key) {
    this.#text = textField(label, (text) => link.set({ [key]: text, at: undefined }), { lines: 2 });
    this.#picture = new Picture("The answer after each word: " + label.toLowerCase());
    this.element = element(
      "section",
      { "aria-label": label },
      controls(this.#text),
      this.#answer,
      this.#picture.element,
    );
  }

  // Returns the answer in words; undefined where there is nothing new.
  async show(model, text, beside) {
    this.#text.give(text);
    const at = model.task === "tag" ? link.whole("at", undefined, { min: 0, max: wordsOf(text).length - 1 }) : undefined;
    const asked = JSON.stringify([model.id, text, beside?.id]);
    if (asked === this.#asked) {
      if (model.task === "tag" && text.trim() !== "") this.#look(model, text, at);
      return undefined;
    }
    this.#asked = asked;
    this.#words = [];
    if (text.trim() === "") {
      this.#answer.replaceChildren();
      this.#picture.hide();
      return undefined;
    }
    this.#picture.draw({ picture: "answers", model: model.id, text, at, beside: beside?.id });
    try {
      return await this.#newest.run((signal) =>
        model.task === "tag" ? this.#tag(model, text, at, signal) : this.#classify(model, text, beside, signal),
      );
    } catch (error) {
      this.#answer.replaceChildren(problem(error.message));
      this.#asked = "";
      return undefined;
    }
  }

  close() {
    this.#newest.stop();
    this.#picture.hide();
  }

  // Steps to another word of a tagger's text.
  key({ key }) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step === undefined || this.#words.length === 0) return false;
    const last = this.#words.length - 1;
    const at = link.whole("at", step > 0 ? -1 : last + 1, { min: 0, max: last }) + step;
    link.set({ at: Math.min(Math.max(at, 0), last) });
    return true;
  }

  async #classify(model, text, beside, signal) {
    const asked = [model, beside].filter(Boolean);
    const answers = await Promise.all(asked.map(({ id }) => post("v1/classify", { model: id, text }, signal)));
    const said = answers.map(({ data: [one] }) => ({ labels: one.labels ?? [one.label].filter(Boolean), ...one }));
    replaceChildren(
      this.#answer,
      said.map((one, i) => this.#labels(one, beside && asked[i].id)),
    );
    return said
      .map(({ labels, probabilities }) => labels.map((label) => `${label}, ${percent(probabilities[label])}`))
      .map((all) => (all.length > 0 ? all.join(", ") : "No label"))
      .join("; ");
  }

  // The labels, and the probabilities of the first ten; `name` of the model where there are two.
  #labels({ labels, probabilities, tokens, unknown_tokens: unknown }, name) {
    const all = Object.entries(probabilities).sort(([, a], [, b]) => b - a); // objects put names that are numbers first
    const shares = all.slice(0, SHOWN);
    return element(
      "div",
      {},
      name && element("h3", {}, name),
      element(
        "p",
        { class: "label" },
        labels.length > 0 ? labels.map((label, i) => [i > 0 && ", ", element("bdi", {}, label)]) : "no label",
      ),
      element(
        "ol",
        { class: "alternatives" },
        shares.map(([known, share]) =>
          element(
            "li",
            {},
            element(
              "div",
              { class: "alternative" },
              element("bdi", {}, known),
              bar(share),
              element("span", { class: "number" }, percent(share)),
            ),
          ),
        ),
      ),
      all.length > shares.length &&
        element("p", { class: "note" }, `${counted(all.length - shares.length, "more label")} with less.`),
      unknown > 0 &&
        element("p", { class: "note" }, `${counted(unknown, "word")} of ${tokens} unknown to the model.`),
    );
  }

  async #tag(model, text, at, signal) {
    const words = wordsOf(text);
    const {
      data: [{ tags, confidence }],
    } = await post("v1/tag", { model: model.id, words, confidence: true }, signal);
    this.#words = words.map((word, i) =>
      element(
        "button",
        { type: "button", class: "word", click: () => link.set({ at: i }) },
        element("bdi", { class: "prose" }, word),
        element("b", {}, tags[i]),
        element("span", { class: "note" }, percent(confidence[i])),
      ),
    );
    replaceChildren(
      this.#answer,
      element(
        "ol",
        { class: "tagged", dir: "auto" },
        this.#words.map((word) => element("li", {}, word)),
      ),
    );
    this.#mark(at);
    return words.map((word, i) => `${word}: ${tags[i]}`).join(", ");
  }

  // Another word of the same text.
  #look(model, text, at) {
    this.#mark(at);
    this.#picture.draw({ picture: "answers", model: model.id, text, at });
  }

  #mark(at) {
    for (const [i, word] of this.#words.entries()) word.setAttribute("aria-pressed", String(i === at));
  }
}

function wordsOf(text) {
  return text.trim().split(/\s+/);
}
