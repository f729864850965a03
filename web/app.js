// The frame of the page: views, the model that they look at, keys, the tour.
import { onMistake } from "./api.js";
import { element, problem, replaceChildren } from "./elements.js";
import { keepFocus } from "./focus.js";
import { link } from "./link.js";
import { labelOf, loadModels, modelNamed, models, modelsFor, taskOf, words } from "./models.js";
import { Tour } from "./tour.js";
import * as answers from "./views/answers.js";
import * as gradients from "./views/gradients.js";
import * as learning from "./views/learning.js";
import * as neurons from "./views/neurons.js";
import * as read from "./views/read.js";
import * as unrolled from "./views/unrolled.js";
import * as write from "./views/write.js";

const VIEWS = { unrolled, write, read, gradients, neurons, learning, answers };
const WRITES = "input:not([type=range], [type=checkbox]), textarea, select, dialog *";
const MOVES = "input, textarea, select, summary, dialog *";

const title = element("h1", {});
const sentence = element("p", { class: "sentence" });
const place = element("div", { class: "view" });
const said = element("p", { class: "unseen", role: "status" });
const waiting = element("p", { class: "waiting", role: "status", hidden: true }, "Waiting for the server …");
const main = element(
  "main",
  { id: "main", tabindex: "-1", "aria-busy": "true" },
  waiting,
  element("header", { class: "opening" }, title, sentence),
  place,
);
const picker = element("select", { id: "model", change: () => choose(picker.value) });
const pickerField = element(
  "div",
  { class: "field model", hidden: true },
  element("label", { for: "model" }, "Model"),
  picker,
);
const labels = element("select", {
  id: "label",
  change: () => link.set({ label: labels.value, at: undefined }, { remember: true }),
});
const labelField = element(
  "div",
  { class: "field model", hidden: true },
  element("label", { for: "label" }, "Label"),
  labels,
);
const tabs = Object.fromEntries(
  Object.entries(VIEWS).map(([name, view]) => [name, element("a", { href: "#" + name }, view.title)]),
);
const tour = new Tour();
const ABOUT = ["model", "label", "text", "beside"];
const lastOf = new Map(); // by task

const PATIENCE = 500; // milliseconds, after which the page says that it waits

let shown = null; // {name, made}
let unreachable = ""; // why there are no models
let turns = 0; // how often a view was asked to show something
let isTold = false; // whether this turn said something
let drawn = ""; // what the first picture drawn in this turn shows
let waits = 0;
let refreshes = false;

// What a view may ask of the frame.
const page = {
  // Says something to a screen reader, once.
  say(text) {
    isTold = true;
    said.textContent = said.textContent === text ? text + "\u00a0" : text;
  },
};

function frame() {
  const skip = element(
    "a",
    {
      class: "skip",
      href: "#main",
      click: (event) => {
        event.preventDefault();
        main.focus();
      },
    },
    "Skip to content",
  );
  document.body.replaceChildren(
    skip,
    element(
      "header",
      { class: "top" },
      element("a", { class: "name", href: "#unrolled" }, "unroll"),
      element(
        "nav",
        { "aria-label": "Views" },
        element(
          "ul",
          {},
          Object.values(tabs).map((tab) => element("li", {}, tab)),
        ),
      ),
      pickerField,
      labelField,
    ),
    main,
    tour.element,
    element("footer", {}, keysHelp(), copyButton()),
    said,
  );
}

function keysHelp() {
  const keys = [
    ["←  →", "step"],
    ["u", "loop and columns"],
    ["p", "play"],
    ["1 … 7", "views"],
    ["Esc", "leave a field"],
  ];
  return element(
    "details",
    {},
    element("summary", {}, "Keys"),
    element(
      "dl",
      {},
      keys.map(([key, what]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, what)]),
    ),
  );
}

function copyButton() {
  const made = element(
    "button",
    {
      type: "button",
      class: "quiet",
      click: async () => {
        link.write();
        try {
          await navigator.clipboard.writeText(location.href);
          made.textContent = "Copied";
        } catch {
          made.textContent = "The address bar has the link";
        }
        page.say(made.textContent);
        setTimeout(() => (made.textContent = "Copy the link to this view"), 2000);
      },
    },
    "Copy the link to this view",
  );
  return made;
}

// Another view goes on with the model and its text, or where it cannot show that, with the last that it could.
function linkTo(name) {
  const { tasks } = VIEWS[name];
  const named = modelNamed(link.get("model"));
  const fits = !named || !tasks || tasks.includes(named.task);
  const last = named && fits ? undefined : tasks?.map((task) => lastOf.get(task)).find(Boolean);
  return link.to(name, ["token", "tour", "stop", ...(fits && !last ? ABOUT : [])], last);
}

// What the link says about a model of this task.
function remember(model) {
  if (model) lastOf.set(model.task, Object.fromEntries(ABOUT.map((key) => [key, link.get(key)])));
}

function drawTabs(name) {
  for (const [other, tab] of Object.entries(tabs)) {
    tab.setAttribute("href", linkTo(other));
    if (other === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

// Looks at another model; steps, layers and units of the one before mean nothing to it.
function choose(model) {
  const nothing = ["label", "at", "first", "layer", "unit", "units", "of", "change"].map((key) => [key, undefined]);
  link.set({ model, ...Object.fromEntries(nothing) }, { remember: true });
}

// The model of the link; without one the first that the view can show.
function chosenModel(view) {
  const named = link.get("model");
  if (named !== undefined) return modelNamed(named) ?? null;
  return modelsFor(view.tasks)[0] ?? null;
}

function drawPicker(view, model) {
  pickerField.hidden = !view.tasks || models().length === 0;
  const fitting = modelsFor(view.tasks);
  const others = models().filter((other) => !fitting.includes(other));
  const option = (other) => element("option", { value: other.id, selected: other === model }, words(other));
  replaceChildren(
    picker,
    fitting.map(option),
    others.length > 0 && element("optgroup", { label: "not for this view" }, others.map(option)),
  );
  picker.title = model ? words(model) : ""; // of which there may not be the place to show all
}

// What a conditional model is given, of the labels that it learned.
function drawLabels(model) {
  labelField.hidden = model?.task !== "conditional";
  if (labelField.hidden) return;
  const chosen = labelOf(model);
  replaceChildren(
    labels,
    model.labels.map((label) => element("option", { value: label, selected: label === chosen }, label)),
  );
}

// Why the view cannot show the model, with links to models that it can.
function misfit(view, model) {
  const named = link.get("model");
  const why = model
    ? `${model.id} is a ${taskOf(model)}: ${view.needs}`
    : named === undefined
      ? `The server has no model for this view: ${view.needs}`
      : `The server has no model named ${named}.`;
  const fitting = modelsFor(view.tasks);
  return element(
    "div",
    { class: "notice" },
    element("p", {}, why),
    fitting.length > 0 &&
      element(
        "p",
        {},
        "Look at ",
        fitting.flatMap((other, i) => [
          i > 0 ? ", " : "",
          element("button", { type: "button", class: "small", click: () => choose(other.id) }, other.id),
        ]),
      ),
  );
}

async function show() {
  const turn = ++turns;
  isTold = false;
  drawn = "";
  await busy(() => draw(turn), turn);
  if (turn === turns) tour.look();
  if (turn === turns && drawn !== "" && !isTold) page.say(drawn);
}

// While `work` lasts, unless something newer began meanwhile.
async function busy(work, turn = turns) {
  main.setAttribute("aria-busy", "true");
  clearTimeout(waits);
  waits = setTimeout(() => (waiting.hidden = false), PATIENCE);
  await work();
  if (turn !== turns) return;
  clearTimeout(waits);
  waiting.hidden = true;
  main.removeAttribute("aria-busy");
}

// The server may have other models by now, or others of the same names.
async function refresh() {
  if (refreshes || models().length === 0) return;
  refreshes = true;
  const before = JSON.stringify(models());
  try {
    await loadModels();
  } catch {
    return; // whatever asks next says why
  } finally {
    refreshes = false;
  }
  if (JSON.stringify(models()) === before) return;
  leave();
  show();
}

function leave() {
  shown?.made.close?.();
  shown = null;
}

function fill(content) {
  place.inert = false;
  place.replaceChildren(content);
}

async function draw(turn) {
  const name = Object.hasOwn(VIEWS, link.view) ? link.view : "unrolled";
  const view = VIEWS[name];
  const entered = shown?.name !== name;
  if (entered) {
    leave();
    shown = { name, made: view.create(page) };
    title.textContent = view.title;
    sentence.textContent = view.sentence;
    document.title = `${view.title} · unroll`;
  }
  remember(modelNamed(link.get("model")));
  drawTabs(name);
  if (entered) tabs[name].scrollIntoView({ block: "nearest", inline: "center" });
  tour.show();
  if (unreachable && view.tasks) return fill(problem(unreachable));
  const model = view.tasks ? chosenModel(view) : null;
  drawPicker(view, model);
  drawLabels(model);
  if (view.tasks && (!model || !view.tasks.includes(model.task))) {
    const notice = misfit(view, model);
    page.say(notice.firstChild.textContent);
    return fill(notice);
  }
  const { made } = shown;
  if (place.firstChild !== made.element) {
    fill(made.element);
    place.inert = true; // until its controls have their values
  }
  try {
    const example = link.get("text") === undefined ? await view.example?.(model) : undefined;
    if (turn !== turns) return; // something newer is asked
    place.inert = false;
    await made.show(model, example);
  } catch (error) {
    if (turn === turns) fill(problem(error.message));
  }
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.matches(MOVES)) {
    event.target.blur();
    return;
  }
  const moves = event.key.startsWith("Arrow");
  if (event.target.matches(moves ? MOVES : WRITES)) return;
  const number = Number(event.key);
  const name = Object.keys(VIEWS)[number - 1];
  if (name) {
    location.hash = linkTo(name);
    main.focus();
    event.preventDefault();
  } else if (shown?.made.key?.(event)) {
    event.preventDefault();
  }
}

frame();
keepFocus(main);
place.addEventListener("drawn", ({ detail }) => (drawn ||= detail));
await busy(() => Promise.all([tour.load(), loadModels()]).catch(({ message }) => (unreachable = message)));
addEventListener("keydown", onKey);
addEventListener("focus", refresh);
onMistake(refresh);
link.listen(show);
show();
