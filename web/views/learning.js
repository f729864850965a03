// A training run as it learns: unroll train --dashboard.
import { get, Newest, post } from "../api.js";
import { button } from "../controls.js";
import { element, problem, replaceChildren } from "../elements.js";
import { link } from "../link.js";
import { models } from "../models.js";
import { Picture } from "../picture.js";
import { count, counted, duration } from "../symbols.js";

export const title = "Learning";
export const sentence =
  "A network that learns, as it learns: its loss should fall, fast at first, then ever more slowly, and its " +
  "samples turn into words.";

const EVERY = 1000; // milliseconds
const OPEN = 5; // samples, the newest ones; others are folded up
const ENDS = new Set(["done", "failed"]);
const LAST = [
  ["nats_per_token", "loss, nats per token"],
  ["valid_nats_per_token", "validation loss"],
  ["valid_accuracy", "validation accuracy"],
  ["lr", "learning rate"],
  ["grad_norm", "gradient norm"],
  ["tokens_per_s", "tokens per second"],
];
const STATES = new Map([
  ["running", "Running"],
  ["stopping", "Stopping"],
  ["stopped", "Stopped"],
  ["done", "Done"],
  ["failed", "Failed"],
]);
const GONE = "The run does not answer any more: its program has ended, or was stopped. Here is the last of it.";
const NOT_THE_OWNER = "Only the link that the run printed may stop it.";

export function create(page) {
  return new Learning(page);
}

class Learning {
  #page;
  #newest = new Newest();
  #timer = 0;
  #state = "";
  #sampled;
  #head = element("div", { class: "run" });
  #act = element("div", { class: "bar" });
  #change = button("", () => this.#ask());
  #again = button("Ask again", () => this.#poll());
  #problem = problem();
  #curves = new Picture("Curves of the run");
  #samples = element("section", { "aria-label": "Samples" });
  #earlier = element("details", {});
  #plan = element("details", { hidden: true });
  #isOpen = false;

  constructor(page) {
    this.#page = page;
    this.#curves.path = "v1/run/curves";
    this.#curves.keeps = true;
    this.element = element(
      "div",
      {},
      this.#problem,
      this.#head,
      this.#act,
      this.#curves.element,
      this.#plan,
      this.#samples,
    );
  }

  async show() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    // Who serves models trains none.
    if (models().length > 0) this.#explain();
    else await this.#poll();
  }

  close() {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#newest.stop();
  }

  async #poll() {
    try {
      const run = await this.#newest.run((signal) => get("v1/run", signal));
      if (!run || !this.#isOpen) return;
      this.#problem.hidden = true;
      await this.#show(run);
      if (!ENDS.has(run.state)) this.#timer = setTimeout(() => this.#poll(), EVERY);
    } catch (error) {
      if (!this.#isOpen) return;
      if (error.status === 404) this.#explain();
      else this.#refuse(error);
    }
  }

  #refuse(error) {
    const isGone = error.status === 0 && this.#state !== "";
    this.#tellProblem(isGone ? GONE : error.message);
    const heading = this.#head.querySelector("h2");
    if (heading) heading.textContent = "No answer";
    this.#state = "gone";
    replaceChildren(this.#act, this.#again);
  }

  #tellProblem(words) {
    this.#problem.textContent = words;
    this.#problem.hidden = false;
  }

  #explain() {
    this.#head.replaceChildren(
      element(
        "div",
        { class: "notice" },
        element("p", {}, "This server trains nothing. A training run has a page of its own, which ends up here:"),
        element("pre", {}, element("code", {}, "unroll train book.txt --save book.safetensors --dashboard")),
        element(
          "p",
          {},
          "It prints a link, to be opened in a browser; with ",
          element("code", {}, "--sample-every 500"),
          " the network also shows what it writes.",
        ),
      ),
    );
  }

  async #show(run) {
    const left =
      run.state === "running" && Number.isFinite(run.seconds_left) ? `${duration(run.seconds_left)} left` : "";
    const last = { ...run.last_validation, ...run.last };
    const facts = [
      ["steps", `${count(run.steps_done)} of ${count(run.steps)}`],
      ["time", duration(run.seconds)],
      ...LAST.filter(([key]) => Number.isFinite(last[key])).map(([key, name]) => [name, rounded(last[key])]),
    ];
    replaceChildren(
      this.#head,
      element("h2", {}, STATES.get(run.state) ?? run.state, left && element("span", { class: "note" }, " · " + left)),
      element("progress", { max: String(run.steps), value: String(run.steps_done), "aria-label": "Steps done" }),
      run.failure && problem(run.failure),
      terms(facts),
      (run.notes ?? []).map((note) => element("p", { class: "note" }, note)),
    );
    if (run.state !== this.#state) {
      this.#state = run.state;
      this.#page.say(STATES.get(run.state) ?? run.state);
      this.#drawActs();
    }
    const { steps_done, state } = run;
    this.#drawSamples(run.samples ?? []);
    this.#drawPlan(run.plan);
    await this.#curves.draw({ steps_done, state });
  }

  #drawActs() {
    const isStopped = this.#state === "stopped";
    this.#change.textContent = isStopped ? "Continue" : "Stop after this step";
    this.#change.classList.toggle("primary", isStopped);
    this.#change.setAttribute("aria-disabled", String(this.#state === "stopping"));
    const mayChange = link.get("token") !== undefined;
    const what = ENDS.has(this.#state) ? [] : mayChange ? this.#change : element("p", { class: "note" }, NOT_THE_OWNER);
    if (this.#act.firstChild !== what) replaceChildren(this.#act, what);
  }

  async #ask() {
    if (this.#state === "stopping") return;
    try {
      await post(`v1/run/${this.#state === "stopped" ? "continue" : "stop"}`, { token: link.get("token") });
    } catch (error) {
      this.#tellProblem(error.message);
      return;
    }
    clearTimeout(this.#timer);
    await this.#poll();
  }

  #drawSamples(samples) {
    const newest = samples.at(-1)?.step;
    if (newest === this.#sampled) return;
    this.#sampled = newest;
    const newestFirst = [...samples].reverse();
    const earlier = newestFirst.slice(OPEN);
    const folded = element("summary", {}, counted(earlier.length, "earlier sample"));
    replaceChildren(this.#earlier, folded, earlier.map(sample));
    replaceChildren(
      this.#samples,
      element("h2", {}, "What it writes"),
      newestFirst.slice(0, OPEN).map(sample),
      earlier.length > 0 && this.#earlier,
    );
  }

  #drawPlan(plan) {
    if (!plan || this.#plan.childElementCount > 0) return;
    this.#plan.hidden = false;
    replaceChildren(
      this.#plan,
      element("summary", {}, "Settings of the run"),
      terms(Object.entries(plan).map(([name, value]) => [name.replaceAll("_", " "), rounded(value)])),
    );
  }
}

function sample({ step, text }) {
  return element(
    "figure",
    { class: "sample" },
    element("figcaption", { class: "note" }, `after step ${count(step)}`),
    element("blockquote", { dir: "auto" }, text),
  );
}

function terms(facts) {
  return element(
    "dl",
    { class: "facts" },
    facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
}

function rounded(value) {
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) || value >= 1000 ? count(Math.round(value)) : String(Number(value.toPrecision(4)));
}
