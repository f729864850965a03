// What single units do over a text, which of them follow something in it, and what their gates remember.
import { Newest, post } from "../api.js";
import { button, choice, controls, numberField, slider, textField } from "../controls.js";
import { element, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { Picture } from "../picture.js";
import { counted, decimals } from "../symbols.js";

export const title = "Neurons";
export const sentence = "Each row is one unit of the state, each column a symbol of the text: some units follow something that a " +
  "reader would name, most do not.";
export const tasks = ["language"];
export const needs = "this view looks at the states of language models.";

const FEATURES = [["none", "nothing"], ["quotes", "inside quotation marks"], ["brackets", "inside brackets"],
  ["line", "position in the line"], ["regex", "a pattern of your own"]];
const FOUND = 8;
const SHOWN = 12; // rows of the picture

export function create(page) {
  return new Neurons(page);
}

class Neurons {
  #page;
  #newest = new Newest();
  #text = textField("Text", (text) => link.set({ text, from: undefined, to: undefined, unit: undefined }), { lines: 5 });
  #layer = slider("Layer", (layer) => link.set({ layer, unit: undefined }), { min: 0, max: 0 });
  #feature = choice("Find units that follow", (feature) =>
    link.set({ feature: feature === "regex" ? "/[aeiou]/" : feature, from: undefined, to: undefined, unit: undefined }));
  #pattern = textField("Pattern (a regular expression)", (pattern) => link.set({ feature: `/${pattern}/`, unit: undefined }),
    { monospace: true });
  #unit = numberField("Unit", (unit) => link.set({ unit }), { min: 0 });
  #found = element("div", { class: "found" });
  #neurons = new Picture("Units over the text", (svg) => this.#clickable(svg));
  #gates = new Picture("The gates of the unit");
  #gatesTitle = element("h2", {});
  #asked = "";
  #units = [];

  constructor(page) {
    this.#page = page;
    this.element = element("div", {},
      controls(this.#text, this.#feature, this.#pattern,
        button("Find units for the selected text", () => this.#select()), this.#layer, this.#unit),
      this.#found, this.#neurons.element,
      element("section", { "aria-label": "One unit" }, this.#gatesTitle, this.#gates.element));
  }

  async show(model) {
    const text = link.get("text") ?? examples.PASSAGE;
    const layer = link.number("layer", 0);
    const isSelection = link.number("from") !== undefined && link.number("to") !== undefined;
    const feature = link.get("feature") ?? (isSelection ? "none" : "line");
    this.#text.give(text);
    this.#layer.limit(0, model.layers - 1);
    this.#layer.element.hidden = model.layers === 1;
    this.#layer.give(layer);
    const isPattern = feature.startsWith("/");
    this.#feature.give(FEATURES, isPattern ? "regex" : feature);
    this.#pattern.element.hidden = !isPattern;
    if (isPattern) this.#pattern.give(feature.replace(/^\/|\/$/g, ""));
    if (text === "") {
      this.#neurons.hide();
      this.#gates.hide();
      return;
    }
    await this.#find(model, text, layer, feature);
    const units = link.list("unit").map(Number);
    const rows = [...new Set([...units, ...this.#units])].slice(0, SHOWN);
    const answer = await this.#neurons.draw({ picture: "neurons", model: model.id, text, layer,
      units: rows.length > 0 ? rows : undefined });
    const unit = units[0] ?? this.#units[0] ?? answer?.facts?.units?.[0] ?? 0;
    this.#unit.give(unit);
    this.#gatesTitle.textContent = `Unit ${unit}`;
    await this.#gates.draw({ picture: "gates", model: model.id, text, layer, unit, at: link.number("at") });
  }

  close() {
    this.#newest.stop();
  }

  #select() {
    const { selectionStart: from, selectionEnd: to, value } = this.#text.control;
    if (from === to) {
      this.#page.say("Select a part of the text first");
      replaceChildren(this.#found, element("p", { class: "note" }, "Select a part of the text first: units are found that are " +
        "different there from everywhere else."));
      return;
    }
    const characters = (end) => [...value.slice(0, end)].length;
    link.set({ text: value, from: characters(from), to: characters(to), feature: undefined, unit: undefined });
  }

  async #find(model, text, layer, feature) {
    const from = link.number("from");
    const to = link.number("to");
    const what = feature !== "none" ? { feature } : from !== undefined && to !== undefined ? { from, to } : null;
    const asked = JSON.stringify([model.id, text, layer, what]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#units = [];
    if (!what) {
      this.#found.replaceChildren();
      return;
    }
    try {
      const answer = await this.#newest.run((signal) =>
        post("v1/units", { model: model.id, text, layer, count: FOUND, ...what }, signal));
      if (answer) this.#showFound(answer);
    } catch (error) {
      this.#found.replaceChildren(element("p", { class: "problem" }, error.message));
    }
  }

  #showFound({ units, sentence: says, passages }) {
    this.#units = units.map(({ unit }) => unit);
    replaceChildren(this.#found,
      says && element("p", {}, says),
      element("table", {},
        element("caption", { class: "unseen" }, "Units found"),
        element("thead", {}, element("tr", {}, ["unit", "AUC", "correlation"].map((name) => element("th", { scope: "col" }, name)))),
        element("tbody", {}, units.map(({ unit, auc, correlation }) => element("tr", {},
          element("td", {}, button(String(unit), () => link.set({ unit }), { small: true })),
          [auc, correlation].map((value) => element("td", { class: "number" }, value === null ? "–" : decimals(value, 3))))))),
      passages?.length > 0 && element("div", {}, element("h3", {}, "Passages alike"),
        element("ul", {}, passages.map((passage) => element("li", {}, element("bdi", { class: "prose" }, passage.text))))));
    this.#page.say(`Found ${counted(units.length, "unit")}`);
  }

  #clickable(svg) {
    for (const row of svg.querySelectorAll("[data-unit]")) {
      row.addEventListener("click", () => link.set({ unit: row.dataset.unit }));
    }
  }
}
