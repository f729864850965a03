// Classifiers and taggers: the answer after each word, and what moved it.
import { bar } from "../alternatives.js";
import { Newest, post } from "../api.js";
import { controls, textField } from "../controls.js";
import { element, problem, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { Picture } from "../picture.js";
import { percent } from "../symbols.js";

export const title = "Answers";
export const sentence =
  "A classifier has an answer after every word, and only the last one counts; a tagger answers for every word.";
export const tasks = ["classify", "tag"];
export const example = examples.labelled;
export const needs = "this view asks models that were trained to label texts (unroll train --task classify or tag).";

export function create(page) {
  return new Answers(page);
}

class Answers {
  #page;
  #first = new Answered("Your text", "text");
  #second = new Answered("Another text", "second");

  constructor(page) {
    this.#page = page;
    this.element = element("div", { class: "answers" }, this.#first.element, this.#second.element);
  }

  async show(model, [text, second]) {
    const isTagger = model.task === "tag";
    const isExample = link.get("text") === undefined && link.get("second") === undefined;
    this.#second.element.hidden = isTagger;
    const [first] = await Promise.all([
      this.#first.show(model, link.get("text") ?? text),
      isTagger ? null : this.#second.show(model, link.get("second") ?? (isExample ? second : "")),
    ]);
    if (first) this.#page.say(first);
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

  constructor(label, key) {
    this.#text = textField(label, (text) => link.set({ [key]: text }), { lines: 2 });
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
  async show(model, text) {
    this.#text.give(text);
    const asked = JSON.stringify([model.id, text]);
    if (asked === this.#asked) return undefined;
    this.#asked = asked;
    if (text.trim() === "") {
      this.#answer.replaceChildren();
      this.#picture.hide();
      return undefined;
    }
    this.#picture.draw({ picture: "answers", model: model.id, text });
    try {
      return await this.#newest.run((signal) =>
        model.task === "tag" ? this.#tag(model, text, signal) : this.#classify(model, text, signal),
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

  async #classify(model, text, signal) {
    const {
      data: [{ label, probabilities }],
    } = await post("v1/classify", { model: model.id, text }, signal);
    replaceChildren(
      this.#answer,
      element("p", { class: "label" }, element("bdi", {}, label)),
      element(
        "ol",
        { class: "alternatives" },
        Object.entries(probabilities)
          .slice(0, 10)
          .map(([name, share]) =>
            element(
              "li",
              {},
              element(
                "div",
                { class: "alternative" },
                element("bdi", {}, name),
                bar(share),
                element("span", { class: "number" }, percent(share)),
              ),
            ),
          ),
      ),
    );
    return `${label}, ${percent(probabilities[label])}`;
  }

  async #tag(model, text, signal) {
    const words = text.trim().split(/\s+/);
    const {
      data: [{ tags, confidence }],
    } = await post("v1/tag", { model: model.id, words, confidence: true }, signal);
    replaceChildren(
      this.#answer,
      element(
        "ol",
        { class: "tagged", dir: "auto" },
        words.map((word, i) =>
          element(
            "li",
            {},
            element("bdi", { class: "prose" }, word),
            element("b", {}, tags[i]),
            element("span", { class: "note" }, percent(confidence[i])),
          ),
        ),
      ),
    );
    return words.map((word, i) => `${word}: ${tags[i]}`).join(", ");
  }
}
