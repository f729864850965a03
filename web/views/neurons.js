// What single units do over a text, which of them follow something in it, and what their gates remember.
import { Newest, post } from "../api.js";
import { button, choice, controls, numberField, slider, textField } from "../controls.js";
import { element, problem, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { asked } from "../models.js";
import { Picture } from "../picture.js";
import { counted, decimals, shown } from "../symbols.js";

export const title = "Neurons";
export const sentence =
  "Each row is one unit of the state, each column a symbol or word of the text: some units follow something that a " +
  "reader would name, most do not.";
export const tasks = ["language", "conditional", "classify", "tag"];
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
const NO_UNIT = { unit: undefined, units: undefined, of: undefined };
const NO_PLACE = { at: undefined, first: undefined };
const NO_SELECTION = { from: undefined, to: undefined };
const FOUND = 8;
const SHOWN = 12; // rows of the picture
const WINDOW = 200; // steps of one picture, as many as the engine draws
const BEFORE = 50; // steps that stay in sight before one that is gone to

export function create(page) {
  return new Neurons(page);
}

class Neurons {
  #page;
  #newest = new Newest();
  #text = textField("Text", (text) => link.set({ text, ...NO_SELECTION, ...NO_PLACE, ...NO_UNIT }), { lines: 5 });
  #layer = slider("Layer", (layer) => link.set({ layer, ...NO_UNIT }), {
    min: 0,
    max: 0,
    say: (layer) => (this.#model ? layerName(this.#model, layer) : String(layer)),
  });
  #feature = choice("Find units that follow", (feature) =>
    link.set({ feature: feature === "regex" ? "/[aeiou]/" : feature, ...NO_SELECTION, ...NO_UNIT }),
  );
  #pattern = textField(
    "Pattern (a regular expression)",
    (pattern) => link.set({ feature: `/${pattern}/`, ...NO_UNIT }),
    { monospace: true },
  );
  #unit = numberField("Unit", (unit) => this.#choose(unit), { min: 0 });
  #window = slider("Shown from step", (first) => this.#show(first), { min: 0, max: 0 });
  #windows = element(
    "div",
    { class: "controls" },
    this.#window.element,
    button("Earlier", () => this.#show(this.#facts.first - WINDOW), { small: true }),
    button("Later", () => this.#show(this.#facts.first + WINDOW), { small: true }),
  );
  #rows = element("div", { class: "bar", role: "group", "aria-label": "Units in the picture" });
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
      element(
        "div",
        { class: "bar" },
        button("Before", () => this.#move(-1), { keys: "ArrowLeft" }),
        button("Next", () => this.#move(1), { keys: "ArrowRight" }),
      ),
      this.#windows,
      this.#neurons.element,
      this.#rows,
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
      this.#rows.replaceChildren();
      this.#windows.hidden = true;
      this.#asked = "";
      return;
    }
    await this.#find(text, feature);
    const [best] = this.#units;
    const layer = this.#layerOfLink() ?? best?.layer ?? layersOf(model) - 1;
    this.#of = hasC(model) && (link.get("unit") === undefined ? best?.of : link.get("of")) === "c" ? "c" : undefined;
    this.#unit.control.max = model.hidden - 1;
    this.#layer.give(layer);
    await this.#draw({ ...asked(model), text, layer, selection: isSelection ? this.#selection() : undefined });
  }

  close() {
    this.#newest.stop();
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by !== undefined && this.#facts) this.#move(by);
    return by !== undefined;
  }

  get #facts() {
    return this.#neurons.answer?.facts;
  }

  #selection() {
    return [link.whole("from"), link.whole("to")];
  }

  // Both pictures, of the same steps. The second is of the unit of the link, or of the first row.
  async #draw(request) {
    const units = this.#unitsToShow(request.layer);
    const place = { at: link.whole("at"), from: link.whole("first") };
    const neurons = await this.#neurons.draw({ picture: "neurons", ...request, ...place, state: this.#of, units });
    if (!neurons) {
      if (neurons === null) this.#gates.hide();
      return;
    }
    const { first, at, steps } = neurons.facts;
    this.#windows.hidden = steps <= WINDOW;
    this.#window.limit(0, steps - WINDOW);
    this.#window.give(first);
    const model = this.#model;
    const hasGates = model.gates !== "";
    const [chosen = units?.[0]] = link.units(model.hidden);
    this.#noGates.hidden = hasGates;
    this.#noGates.textContent = `${model.id} has no gates: look at a GRU or an LSTM.`;
    if (!hasGates) this.#gates.hide();
    const gates =
      hasGates && (await this.#gates.draw({ picture: "gates", ...request, unit: chosen, at, from: first }));
    const unit = gates ? gates.facts.unit : chosen;
    if (unit !== undefined) this.#unit.give(unit);
    this.#gatesTitle.textContent = unit === undefined || !hasGates ? "Gates" : `Gates of unit ${unit}, at step ${at}`;
    this.#markUnit(unit);
  }

  // Those that were found, or that the link says, the link's unit among them; undefined: let the engine choose.
  #unitsToShow(layer) {
    const alike = this.#units.filter((found) => found.layer === layer && (found.of === "c") === (this.#of === "c"));
    const listed = alike.length > 0 ? alike.map(({ unit }) => unit) : link.units(this.#model.hidden, "units");
    const rows = [...new Set(listed)].slice(0, SHOWN);
    const [chosen] = link.units(this.#model.hidden);
    if (chosen !== undefined && !rows.includes(chosen)) rows.unshift(chosen);
    return rows.length > 0 ? rows : undefined;
  }

  // The units of the rows as buttons, and the name of the chosen one marked.
  #markUnit(unit) {
    const focused = this.#rows.contains(document.activeElement) ? document.activeElement.dataset.of : undefined;
    const name = (row) => (this.#of === "c" ? `c ${row}` : String(row));
    replaceChildren(
      this.#rows,
      element("span", { class: "note" }, "Rows:"),
      this.#rowUnits().map((row) => {
        const made = button(name(row), () => this.#choose(row), { small: true });
        made.dataset.of = row;
        made.setAttribute("aria-label", "unit " + name(row));
        made.setAttribute("aria-pressed", String(row === unit));
        return made;
      }),
    );
    if (focused !== undefined) this.#rows.querySelector(`[data-of="${focused}"]`)?.focus();
    for (const row of this.#neurons.svg?.querySelectorAll("text[data-unit]") ?? []) {
      row.toggleAttribute("data-chosen", Number(row.dataset.unit) === unit);
    }
  }

  // In their order in the picture.
  #rowUnits() {
    const columns = this.#neurons.answer?.table.columns.slice(2) ?? [];
    return columns.map((column) => Number(column.replace("unit ", "")));
  }

  // The picture keeps its rows.
  #choose(unit, more = {}) {
    const { layer } = this.#facts ?? {};
    link.set({ layer, unit, units: this.#rowUnits().join() || undefined, of: this.#of, ...more });
  }

  // Steps from `first` on; a step out of sight is no longer looked at.
  #show(first) {
    const { steps } = this.#facts;
    const from = Math.min(Math.max(first, 0), Math.max(0, steps - WINDOW));
    const at = link.whole("at");
    link.set({ first: from, at: at >= from && at < from + WINDOW ? at : undefined });
  }

  #move(by) {
    const { at, steps } = this.#facts;
    this.#go(Math.min(Math.max(link.whole("at", at) + by, 0), steps - 1));
  }

  // Looks at a step, and shows others where it is out of sight.
  #go(at, more = {}) {
    const { first, last, steps } = this.#facts;
    const seen = at >= first && at <= last;
    const ahead = at < first ? WINDOW - BEFORE : BEFORE;
    link.set({ at, first: seen ? first : Math.min(Math.max(at - ahead, 0), Math.max(0, steps - WINDOW)), ...more });
    this.#page.say(`Step ${at} of ${steps}`);
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
      const first = before + begin;
      link.set({
        text: value,
        from: first,
        to: first + Math.max(until - before - 1, 0),
        feature: undefined,
        layer: undefined,
        at: undefined,
        first: first < WINDOW - BEFORE ? undefined : first - BEFORE,
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
    const request = { ...asked(this.#model), text, layer: this.#layerOfLink(), count: FOUND, ...what };
    const wanted = JSON.stringify(request);
    if (wanted === this.#asked) return;
    this.#asked = wanted;
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

  #showFound({ units, followed, feature, reason, selection, holding, passages }) {
    this.#units = holding > 0 ? units.slice(0, holding) : units;
    const [best] = units;
    const says = !best
      ? `No unit does${reason ? `: “${feature}” is ${reason}` : ""}.`
      : selection
        ? holding > 0
          ? `These are on throughout “${selection.text}”, and off around it.`
          : `No unit holds “${selection.text}” together: even of these, which come nearest, the margin is below half a standard deviation.`
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
            this.#units.map((found) =>
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
                element(
                  "button",
                  { type: "button", class: "small", click: () => this.#go(passage.to) },
                  element("bdi", { class: "prose" }, shown(passage.text)),
                ),
                element("span", { class: "note" }, ` ${counted(passage.units, "unit")} of ${holding}`),
              ),
            ),
          ),
        ),
    );
    this.#page.say(says);
  }

  #look({ layer, unit, of }) {
    link.set({ layer, unit, units: undefined, of: of === "c" ? of : undefined });
  }

  #named({ layer, of, unit }) {
    return (layersOf(this.#model) > 1 ? `layer ${layerName(this.#model, layer)}, ` : "") + (of === "c" ? "c " : "") + unit;
  }

  // A name chooses the unit of its row, a symbol its step, a cell both.
  #clickable(svg) {
    svg.addEventListener("click", ({ target }) => {
      const unit = target.closest("[data-unit]")?.dataset.unit;
      const at = target.closest("[data-t]")?.dataset.t;
      if (unit !== undefined) this.#choose(Number(unit), at === undefined ? {} : { at: Number(at) });
      else if (at !== undefined) this.#go(Number(at));
    });
  }
}

function wordsOf(text) {
  return text.split(/\s+/).filter((word) => word !== "");
}

function labels(model) {
  return ["classify", "tag"].includes(model.task);
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
