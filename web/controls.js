// Controls with their labels. Each calls `change` with its new value; give() sets one without calling, but not while
// there is something typed that was not yet told.
import { afterPause } from "./api.js";
import { element } from "./elements.js";

const MOST_ROWS = 8; // of a field that grows

let made = 0;

function id() {
  return "control-" + ++made;
}

function labelled(label, control, extra = null) {
  control.id = id();
  return element("div", { class: "field" }, element("label", { for: control.id }, label, extra), control);
}

// Tells what is typed after a pause.
class Typing {
  waits = false;
  #tell;
  #later;

  constructor(control, tell, milliseconds) {
    this.#tell = tell;
    this.#later = afterPause(() => this.end(), milliseconds);
    control.addEventListener("input", () => {
      this.waits = true;
      this.#later();
    });
  }

  end() {
    if (!this.waits) return;
    this.waits = false;
    this.#tell();
  }
}

// A field of one line grows with its text; what begins a line in it is Shift and Enter.
export function textField(label, change, { lines = 1, placeholder, monospace = false } = {}) {
  const control = element("textarea", { rows: lines });
  control.className = monospace ? "code" : "prose";
  control.dir = "auto";
  control.spellcheck = false;
  control.autocomplete = "off";
  if (placeholder) control.placeholder = placeholder;
  let given = "";
  const typing = new Typing(control, () => change((given = control.value)), 300);
  const grow = () => (control.rows = Math.min(Math.max(control.value.split("\n").length, lines), MOST_ROWS));
  if (lines === 1) {
    control.classList.add("grows");
    control.addEventListener("input", grow);
    control.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      typing.end();
    });
  }
  const field = labelled(label, control);
  field.classList.add("wide");
  return {
    element: field,
    control,
    give(value) {
      if (typing.waits || given === value) return;
      control.value = given = value;
      if (lines === 1) grow();
    },
  };
}

// `say` makes of the number what stands beside the label.
export function slider(label, change, { min, max, step = 1, say = String }) {
  const control = element("input", { type: "range", min, max, step });
  const value = element("output", {});
  const typing = new Typing(control, () => change(Number(control.value)), 120);
  const tell = () => {
    value.textContent = say(Number(control.value));
    control.setAttribute("aria-valuetext", value.textContent);
  };
  control.addEventListener("input", tell);
  const field = labelled(label, control, value);
  return {
    element: field,
    control,
    give(number) {
      if (!typing.waits) control.value = number;
      tell();
    },
    limit(least, most) {
      control.min = least;
      control.max = most;
      tell();
    },
  };
}

// For whole numbers. One that cannot be taken becomes the nearest that can, or where there is none the one before, once
// the field is left.
export function numberField(label, change, { min, max } = {}) {
  const control = element("input", { type: "number", min, max, step: 1, inputmode: "numeric" });
  let given = "";
  const tell = (number) => {
    given = String(number);
    change(number);
  };
  const typing = new Typing(
    control,
    () => control.value !== "" && control.checkValidity() && tell(Number(control.value)),
    250,
  );
  control.addEventListener("change", () => {
    typing.end();
    const isNumber = control.value !== "";
    const [least, most] = [control.min, control.max].map((bound) => (bound === "" ? undefined : Number(bound)));
    const nearest = Math.min(Math.max(Math.round(Number(control.value)), least ?? -Infinity), most ?? Infinity);
    const isTaken = isNumber && String(nearest) === given;
    control.value = isNumber ? nearest : given;
    if (isNumber && !isTaken) tell(nearest);
  });
  return {
    element: labelled(label, control),
    control,
    give(number) {
      given = String(number);
      if (!typing.waits) control.value = given;
    },
  };
}

export function choice(label, change) {
  let offered = "";
  const control = element("select", { change: () => change(control.value) });
  const field = labelled(label, control);
  return {
    element: field,
    control,
    // `options`: [value, words]
    give(options, chosen) {
      const asked = JSON.stringify(options);
      if (asked !== offered) {
        offered = asked;
        control.replaceChildren(...options.map(([value, words]) => element("option", { value }, words)));
      }
      control.value = chosen;
    },
  };
}

export function tick(label, change) {
  const control = element("input", { type: "checkbox", change: () => change(control.checked) });
  control.id = id();
  return {
    element: element("div", { class: "tick" }, control, element("label", { for: control.id }, label)),
    control,
    give(on) {
      control.checked = on;
    },
  };
}

// `keys`: the key that does the same, shown on the button.
export function button(words, act, { keys, primary = false, small = false } = {}) {
  return element(
    "button",
    {
      type: "button",
      class: [primary && "primary", small && "small"].filter(Boolean).join(" ") || undefined,
      click: act,
      "aria-keyshortcuts": keys,
    },
    words,
    keys ? element("kbd", { "aria-hidden": "true" }, KEY_SIGNS[keys] ?? keys) : null,
  );
}

const KEY_SIGNS = { ArrowLeft: "←", ArrowRight: "→" };

export function controls(...fields) {
  return element(
    "div",
    { class: "controls" },
    fields.map((field) => field.element ?? field),
  );
}
