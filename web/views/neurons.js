// What single units do over a text, which of them follow something in it, and what their gates remember.
import { Newest, post } from "../api.js";
import { button, choice, controls, numberField, slider, textField } from "../controls.js";
import { element, problem, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { Picture } from "../picture.js";
import { counted, decimals } from "../symbols.js";

export const title = "Neurons";
export const sentence =
  "Each row is one unit of the state, each column a symbol or word of the text: some units follow something that a " +
  "reader would name, most do not.";
export const tasks = ["language", "classify", "tag"];
export const example = async (model) => (labels(model) ? examples.labelled(model)[0] : examples.passage(model));
export const needs = "this view looks at the states of models that read a text.";

// What units are looked for at first. The LSTM of the program's own models watches brackets.
function wellKnown(model) {
  if (labels(model)) return "none";
  return model.twin && model.cell === "lstm" ? "brackets" : "line";
}

const FEATURES = [
  ["none", "nothing"],
  ["quotes", "inside quotation marks"],
  ["brackets", "inside brackets"],
  ["line", "position in the line"],
  ["regex", "a pattern of your own"],
];
const NO_UNIT = { unit: undefined, of: undefined };
const FOUND = 8;
const SHOWN = 12; // rows of the picture

export function create(page) {
  return new Neurons(page);
}

class Neurons {
  #page;
  #newest = new Newest();
  #text = textField("Text", (text) => link.set({ text, from: undefined, to: undefined, ...NO_UNIT }), { lines: 5 });
  #layer = slider("Layer", (layer) => link.set({ layer, ...NO_UNIT }), {
    min: 0,
    max: 0,
    say: (layer) => (this.#model ? layerName(this.#model, layer) : String(layer)),
  });
  #feature = choice("Find units that follow", (feature) =>
    link.set({ feature: feature === "regex" ? "/[aeiou]/" : feature, from: undefined, to: undefined, ...NO_UNIT }),
  );
  #pattern = textField(
    "Pattern (a regular expression)",
    (pattern) => link.set({ feature: `/${pattern}/`, ...NO_UNIT }),
    { monospace: true },
  );
  #unit = numberField("Unit", (unit) => link.set({ unit, of: this.#of }), { min: 0 });
  #found = element("div", { class: "found" });
  #neurons = new Picture("Units over the text", (svg) => this.#clickable(svg));
  #gates = new Picture("The gates of the unit");
  #gatesTitle = element("h2", {});
  #noGates = element("p", { class: "note", hidden: true });
  #model = null;
  #asked = "";
  #units = []; // that were found
  #of; // the state whose units are drawn: c, or without a name h

  constructor(page) {
    this.#page = page;
    this.element = element(
      "div",
      {},
      controls(
        this.#text,
        this.#feature,
        this.#pattern,
        button("Find units for the selected text", () => this.#select()),
        this.#layer,
        this.#unit,
      ),
      this.#found,
      this.#neurons.element,
      element("section", { "aria-label": "One unit" }, this.#gatesTitle, this.#noGates, this.#gates.element),
    );
  }

  async show(model, example) {
    const text = link.get("text") ?? example;
    const isSelection = link.whole("from") !== undefined && link.whole("to") !== undefined;
    const feature = link.get("feature") ?? (isSelection ? "none" : wellKnown(model));
    const isPattern = feature.startsWith("/");
    this.#model = model;
    this.#text.give(text);
    this.#layer.limit(0, layersOf(model) - 1);
    this.#layer.element.hidden = layersOf(model) === 1;
    this.#feature.give(FEATURES, isPattern ? "regex" : feature);
    this.#pattern.element.hidden = !isPattern;
    if (isPattern) this.#pattern.give(feature.replace(/^\/|\/$/g, ""));
    if (text === "") {
      this.#neurons.hide();
      this.#gates.hide();
      this.#found.replaceChildren();
      this.#asked = "";
      return;
    }
    await this.#find(text, feature);
    const [best] = this.#units;
    const layer = this.#layerOfLink() ?? best?.layer ?? layersOf(model) - 1;
    this.#of = hasC(model) && (link.get("unit") === undefined ? best?.of : link.get("of")) === "c" ? "c" : undefined;
    const alike = this.#units.filter((found) => found.layer === layer && (found.of === "c") === (this.#of === "c"));
    const rows = [...new Set([...link.units(model.hidden), ...alike.map(({ unit }) => unit)])].slice(0, SHOWN);
    this.#unit.control.max = model.hidden - 1;
    this.#layer.give(layer);
    const asked = { model: model.id, text, layer };
    this.#noGates.hidden = model.gates !== "";
    this.#noGates.textContent = `${model.id} has no gates: look at a GRU or an LSTM.`;
    const [, gates] = await Promise.all([
      this.#neurons.draw({
        picture: "neurons",
        ...asked,
        state: this.#of,
        units: rows.length > 0 ? rows : undefined,
      }),
      model.gates === ""
        ? this.#gates.hide()
        : this.#gates.draw({ picture: "gates", ...asked, unit: rows[0], at: link.whole("at") }),
    ]);
    const unit = gates?.facts.unit ?? rows[0];
    if (unit !== undefined) this.#unit.give(unit);
    this.#gatesTitle.textContent = unit === undefined || model.gates === "" ? "Gates" : `Gates of unit ${unit}`;
  }

  close() {
    this.#newest.stop();
  }

  // Steps of the selected text: a step for each symbol. The first of a language model reads the beginning of the text.
  async #select() {
    const { selectionStart: from, selectionEnd: to, value } = this.#text.control;
    if (from === to) {
      this.#page.say("Select a part of the text first");
      replaceChildren(
        this.#found,
        element(
          "p",
          { class: "note" },
          "Select a part of the text first: units are found that are " + "on throughout it, and off before and after.",
        ),
      );
      return;
    }
    const symbols = async (end) =>
      this.#model.task === "tag"
        ? wordsOf(value.slice(0, end)).length
        : (await post("tokenize", { model: this.#model.id, prompt: value.slice(0, end) })).count;
    try {
      const begin = labels(this.#model) ? 0 : 1;
      const [before, until] = await Promise.all([symbols(from), symbols(to)]);
      link.set({
        text: value,
        from: before + begin,
        to: Math.max(until - 1, before) + begin,
        feature: undefined,
        layer: undefined,
        ...NO_UNIT,
      });
    } catch (error) {
      this.#found.replaceChildren(problem(error.message));
    }
  }

  #layerOfLink() {
    return link.whole("layer", undefined, { min: 0, max: layersOf(this.#model) - 1 });
  }

  async #find(text, feature) {
    const what = feature !== "none" ? { feature } : { from: link.whole("from"), to: link.whole("to") };
    const request = { model: this.#model.id, text, layer: this.#layerOfLink(), count: FOUND, ...what };
    const asked = JSON.stringify(request);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#units = [];
    if (feature === "none" && what.from === undefined) {
      this.#found.replaceChildren();
      return;
    }
    try {
      const answer = await this.#newest.run((signal) => post("v1/units", request, signal));
      if (answer) this.#showFound(answer);
    } catch (error) {
      this.#found.replaceChildren(problem(error.message));
    }
  }

  #showFound({ units, followed, selection, passages }) {
    this.#units = units;
    const [best] = units;
    const says = !best
      ? "No unit does."
      : selection
        ? `These are on throughout “${selection.text}”, and off around it.`
        : followed
          ? `Unit ${best.unit} follows it well.`
          : "No unit follows it well; these come nearest.";
    const columns = selection ? ["unit", "on when", "margin"] : ["unit", "AUC", "correlation"];
    const values = (found) =>
      selection
        ? [`${found.above ? "above" : "below"} ${decimals(found.threshold)}`, decimals(found.margin)]
        : [found.auc === null ? "–" : decimals(found.auc, 3), decimals(found.correlation, 3)];
    replaceChildren(
      this.#found,
      element("p", {}, says),
      best &&
        element(
          "table",
          {},
          element("caption", { class: "unseen" }, "Units found"),
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              columns.map((name) => element("th", { scope: "col" }, name)),
            ),
          ),
          element(
            "tbody",
            {},
            units.map((found) =>
              element(
                "tr",
                {},
                element(
                  "td",
                  {},
                  button(this.#named(found), () => this.#look(found), { small: true }),
                ),
                values(found).map((value) => element("td", { class: "number" }, value)),
              ),
            ),
          ),
        ),
      passages?.length > 0 &&
        element(
          "div",
          {},
          element("h3", {}, "Passages alike"),
          element(
            "ul",
            { class: "passages" },
            passages.map((passage) =>
              element(
                "li",
                {},
                element("bdi", { class: "prose" }, passage.text),
                element("span", { class: "note" }, ` ${counted(passage.units, "unit")} of ${units.length}`),
              ),
            ),
          ),
        ),
    );
    this.#page.say(says);
  }

  #look({ layer, unit, of }) {
    link.set({ layer, unit, of: of === "c" ? of : undefined });
  }

  #named({ layer, of, unit }) {
    return (layersOf(this.#model) > 1 ? `layer ${layerName(this.#model, layer)}, ` : "") + (of === "c" ? "c " : "") + unit;
  }

  #clickable(svg) {
    for (const row of svg.querySelectorAll("[data-unit]")) {
      row.addEventListener("click", () => link.set({ unit: row.dataset.unit, of: this.#of }));
    }
  }
}

function wordsOf(text) {
  return text.split(/\s+/).filter((word) => word !== "");
}

function labels(model) {
  return model.task !== "language";
}

// Each direction is a layer of its own.
function layersOf(model) {
  return model.layers * model.directions;
}

function layerName(model, layer) {
  return model.directions === 1 ? String(layer) : `${Math.floor(layer / 2)} ${layer % 2 === 0 ? "forward" : "backward"}`;
}

// Whether the model keeps a cell state beside h.
function hasC(model) {
  return model.cell === "lstm";
}
