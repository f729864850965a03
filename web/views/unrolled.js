// The loop and its unrolling over the user's sentence, a step in numbers, gradients that go back.
import { post } from "../api.js";
import { button, choice, controls, slider, textField } from "../controls.js";
import { element, replaceChildren } from "../elements.js";
import * as examples from "../examples.js";
import { link } from "../link.js";
import { asked } from "../models.js";
import { Picture } from "../picture.js";
import { count, counted, spoken } from "../symbols.js";
import { Change } from "./change.js";
import { Morph } from "./morph.js";

export const title = "Unrolled";
export const sentence =
  "One small network, used again for every symbol of the text: the loop on paper, and what really runs.";
export const tasks = ["language", "conditional"];
export const example = examples.sentence;
export const needs = "this view unrolls language models, which predict the next symbol at every step.";

const MATRICES = [
  ["U", "from the input to the state"],
  ["W", "from the state before to the state"],
  ["V", "from the state to the prediction"],
];
const PACE = 320; // milliseconds a step while playing
const MOST_BACK = 40; // steps, as many as columns are drawn
const BACK = { min: 1, max: MOST_BACK };
const TEMPERATURES = { min: 0, max: 3 };
const UNITS = { plain: 12, gated: 4 }; // in numbers at once

export function create(page) {
  return new Unrolled(page);
}

class Unrolled {
  #page;
  #text = textField("Your sentence", (text) => link.set({ text, at: undefined }), { placeholder: "Type a sentence" });
  #truncate = slider(
    "Gradients go back",
    (steps) => link.set({ truncate: steps >= this.#longest() ? undefined : steps }),
    {
      ...BACK,
      say: (steps) => (steps >= this.#longest() ? "to the beginning" : counted(steps, "step")),
    },
  );
  #temperature = slider("Temperature", (at) => link.set({ temperature: at === 1 ? undefined : at }), {
    ...TEMPERATURES,
    step: 0.05,
    say: (at) => at.toFixed(2),
  });
  #layer = choice("Layer", (layer) => link.set({ layer, unit: undefined }));
  #units = slider("Units", (page) => link.set({ unit: this.#unitsOf(page)?.join(",") }), {
    min: 0,
    max: 1,
    say: (page) => this.#sayUnits(page),
  });
  #change = new Change((change) => link.set({ change }));
  #lost = element("p", { class: "note", "aria-live": "polite", hidden: true });
  #shared = element("div", { class: "shared", role: "group", "aria-label": "Weights that all steps share" });
  #sharedSays = element("p", { class: "note shared-says" });
  #unrolled = new Picture("The network unrolled over the sentence", (svg, answer) => this.#drawn(svg, answer));
  #onehot = new Picture("The input of this step");
  #step = new Picture("The state of this step, in numbers");
  #softmax = new Picture("The prediction of this step");
  #stepTitle = element("h2", {});
  #turn = button("Roll up", () => this.#morph(), { keys: "u" });
  #playing = button("Play", () => this.#play(), { keys: "p", primary: true });
  #form = new Morph();
  #timer = 0;
  #model = null;

  constructor(page) {
    this.#page = page;
    this.element = element(
      "div",
      {},
      controls(this.#text),
      element(
        "div",
        { class: "bar" },
        this.#playing,
        this.#turn,
        button("Before", () => this.#move(-1), { keys: "ArrowLeft" }),
        button("Next", () => this.#move(1), { keys: "ArrowRight" }),
        this.#truncate.element,
      ),
      this.#shared,
      this.#sharedSays,
      this.#change.element,
      this.#unrolled.element,
      this.#lost,
      element(
        "section",
        { class: "step", "aria-label": "One step" },
        this.#stepTitle,
        this.#onehot.element,
        controls(this.#layer, this.#units),
        this.#step.element,
        controls(this.#temperature),
        this.#softmax.element,
      ),
    );
  }

  async show(model, example) {
    this.#model = model;
    const text = link.get("text") ?? example;
    this.#text.give(text);
    this.#temperature.give(link.number("temperature", 1, TEMPERATURES));
    if (text === "") {
      this.#stop();
      for (const picture of this.#pictures()) picture.hide();
      this.#lost.hidden = true;
      this.#stepTitle.textContent = "";
      replaceChildren(this.#shared);
      return;
    }
    const about = { ...asked(model), text, change: link.get("change") };
    const truncate = link.whole("truncate", undefined, BACK);
    this.#change.show(model, link.get("change"));
    if (this.#form.isLoop !== (link.get("loop") === "1")) this.#turnForm();
    const answer = await this.#unrolled.draw({ picture: "unrolled", ...about, at: link.whole("at"), truncate });
    if (answer === null) {
      for (const picture of [this.#onehot, this.#step, this.#softmax]) picture.hide();
      this.#stepTitle.textContent = "";
      this.#sharedSays.textContent = "";
      this.#lost.hidden = true;
      replaceChildren(this.#shared);
    }
    if (!answer) return;
    await Promise.all([this.#showStep({ ...about, at: answer.facts.at }), this.#tellLost(model, text, truncate)]);
  }

  close() {
    this.#stop();
  }

  key(event) {
    const act = {
      ArrowLeft: () => this.#move(-1),
      ArrowRight: () => this.#move(1),
      u: () => this.#morph(),
      p: () => this.#play(),
    }[event.key];
    act?.();
    return act !== undefined;
  }

  #pictures() {
    return [this.#unrolled, this.#onehot, this.#step, this.#softmax];
  }

  get #facts() {
    return this.#unrolled.answer?.facts;
  }

  #steps() {
    return this.#facts?.steps ?? 1;
  }

  // How many steps a gradient can go back to the first column.
  #longest() {
    return Math.min(this.#steps(), MOST_BACK);
  }

  // The step that is looked at: the link's, or the last.
  #at() {
    return link.whole("at", this.#facts?.at ?? 0, { min: 0, max: this.#steps() - 1 });
  }

  async #showStep(request) {
    const { rows } = this.#unrolled.answer.table;
    const [, reads, comes] = rows.find(([t]) => t === request.at) ?? [];
    this.#stepTitle.textContent =
      `Step ${request.at}: it reads ${spoken(reads)}` + (comes === null ? "" : `, and ${spoken(comes)} comes`);
    const layer = link.whole("layer", undefined, { min: 0, max: this.#model.layers - 1 });
    const units = link.units(this.#model.hidden);
    this.#giveUnits(layer, units);
    const temperature = link.number("temperature", undefined, TEMPERATURES);
    await Promise.all([
      this.#onehot.draw({ picture: "onehot", ...request, change: undefined }),
      this.#step.draw({ picture: "step", ...request, layer, units: units.length > 0 ? units : undefined }),
      this.#softmax.draw({ picture: "softmax", ...request, temperature }),
    ]);
  }

  // The units of a page of them; undefined on the first, which has those with the largest numbers.
  #unitsOf(page) {
    const many = this.#unitsAtOnce();
    const first = (page - 1) * many;
    const count = Math.min(many, this.#model.hidden - first);
    return page === 0 ? undefined : Array.from({ length: count }, (_, i) => first + i);
  }

  #unitsAtOnce() {
    return this.#model?.gates ? UNITS.gated : UNITS.plain;
  }

  #sayUnits(page) {
    if (!this.#model || page === 0) return "the largest";
    const units = this.#unitsOf(page);
    return `${units[0]} to ${units.at(-1)}`;
  }

  #giveUnits(layer, units) {
    const { layers, hidden } = this.#model;
    this.#layer.element.hidden = layers === 1;
    this.#layer.give(
      Array.from({ length: layers }, (_, i) => [String(i), `${i}`]),
      String(layer ?? layers - 1),
    );
    const many = this.#unitsAtOnce();
    this.#units.limit(0, Math.ceil(hidden / many));
    this.#units.give(units.length === 0 ? 0 : 1 + Math.floor(units[0] / many));
  }

  // What training in windows of that length makes of the gradient over the whole text.
  async #tellLost(model, text, truncate) {
    this.#lost.hidden = truncate === undefined;
    if (truncate === undefined) return;
    const request = { picture: "truncation", ...asked(model), text, truncate, lengths: [truncate] };
    const answer = await post("v1/draw", request).catch(() => undefined);
    this.#lost.textContent = answer ? `${answer.sentence}.` : "";
  }

  #drawn(svg, answer) {
    this.#stop();
    this.#form.take(svg);
    this.#truncate.limit(1, this.#longest());
    this.#truncate.give(link.whole("truncate", this.#longest(), BACK));
    this.#drawShared(svg, answer.facts);
    this.#change.offer(answer.facts);
    for (const column of svg.querySelectorAll("g.column")) {
      column.addEventListener("click", () => this.#go(Number(column.dataset.t)));
    }
    const chosen = svg.querySelector("g.column.at");
    if (chosen && link.get("at") !== undefined) this.#unrolled.bringIntoView(chosen);
  }

  // The weights by name: pointing at one lights all its copies.
  #drawShared(svg, facts) {
    const shape = (name) => {
      const of = facts[`${name} shape`];
      if (!of) return "";
      return name !== "V" && this.#model.layers > 1 ? ` (${of} in the first layer)` : ` (${of})`;
    };
    const says = (name) =>
      `${name}: ${counted(facts[name], "number")}${shape(name)}, used ${counted(facts.steps, "time")}`;
    const rest =
      `${counted(facts.parameters, "parameter")} in all, however long the sentence is: ` +
      `${counted(facts.steps, "step")} ${facts.steps === 1 ? "uses" : "use"} the same ones.`;
    this.#sharedSays.textContent = rest;
    const light = (name) => {
      for (const [other] of MATRICES) svg.classList.toggle("lit-" + other, other === name);
      svg.classList.toggle("lit", name !== null);
      this.#sharedSays.textContent = name === null ? rest : says(name) + ".";
    };
    const focused = document.activeElement?.dataset?.matrix;
    replaceChildren(
      this.#shared,
      MATRICES.map(([name, what]) =>
        element(
          "button",
          {
            type: "button",
            class: "weight " + name,
            "data-matrix": name,
            title: what,
            pointerenter: () => light(name),
            pointerleave: () => light(null),
            focus: () => light(name),
            blur: () => light(null),
          },
          element("b", {}, name),
          " ",
          count(facts[name]),
          element("span", { class: "unseen" }, ` numbers, ${what}, used ${counted(facts.steps, "time")}`),
        ),
      ),
    );
    if (focused) this.#shared.querySelector(`[data-matrix="${focused}"]`)?.focus();
    for (const [name] of MATRICES) {
      for (const copy of svg.querySelectorAll("." + name)) {
        copy.addEventListener("pointerenter", () => light(name));
        copy.addEventListener("pointerleave", () => light(null));
      }
    }
  }

  #morph() {
    this.#turnForm();
    link.set({ loop: this.#form.isLoop ? "1" : undefined });
    this.#page.say(this.#form.isLoop ? "Drawn as a loop" : "Unrolled, one column for each step");
  }

  #turnForm() {
    this.#form.turn();
    this.#turn.firstChild.textContent = this.#form.isLoop ? "Unroll" : "Roll up";
  }

  #move(by) {
    this.#go(Math.min(Math.max(this.#at() + by, 0), this.#steps() - 1));
  }

  #go(at) {
    this.#stop();
    link.set({ at });
    this.#page.say(`Step ${at} of 0 to ${this.#steps() - 1}`);
  }

  // Forward, column by column, then the gradient of the chosen prediction back, arrow by arrow.
  #play() {
    const { svg } = this.#unrolled;
    if (this.#timer || !svg) {
      this.#stop();
      return;
    }
    if (this.#form.isLoop) this.#morph();
    const scenes = [...svg.querySelectorAll("g.column")].map((column) => [column]);
    for (const part of svg.querySelectorAll("g.back > *")) {
      if (part.matches("path")) scenes.push([]);
      scenes.at(-1).push(part);
    }
    for (const part of scenes.flat()) part.classList.add("waits");
    this.#playing.firstChild.textContent = "Stop";
    this.#page.say("Plays forward, then the gradients back");
    const pace = Math.min(PACE, 8000 / scenes.length);
    const next = () => {
      const scene = scenes.shift();
      if (!scene) {
        this.#stop();
        return;
      }
      for (const part of scene) part.classList.remove("waits");
      if (scene.length > 0) this.#unrolled.bringIntoView(scene[0]);
      this.#timer = setTimeout(next, pace);
    };
    next();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#playing.firstChild.textContent = "Play";
    for (const scene of this.#unrolled.svg?.querySelectorAll(".waits") ?? []) scene.classList.remove("waits");
  }
}
