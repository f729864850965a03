// Controls with their labels. Each calls `change` with its new value; give() sets one without calling.
import { afterPause } from "./api.js";
import { element } from "./elements.js";

let made = 0;

function id() {
  return "control-" + ++made;
}

function labelled(label, control, extra = null) {
  control.id = id();
  return element("div", { class: "field" }, element("label", { for: control.id }, label, extra), control);
}

export function textField(label, change, { lines = 1, placeholder, monospace = false } = {}) {
  const control = lines > 1 ? element("textarea", { rows: lines }) : element("input", { type: "text" });
  control.className = monospace ? "code" : "prose";
  control.dir = "auto";
  control.spellcheck = false;
  control.autocomplete = "off";
  if (placeholder) control.placeholder = placeholder;
  const later = afterPause(() => change(control.value), 300);
  control.addEventListener("input", later);
  const field = labelled(label, control);
  field.classList.add("wide");
  return {
    element: field,
    control,
    give(value) {
      if (document.activeElement !== control && control.value !== value) control.value = value;
    },
  };
}

// `say` makes of the number what stands beside the label.
export function slider(label, change, { min, max, step = 1, say = String }) {
  const control = element("input", { type: "range", min, max, step });
  const value = element("output", {});
  const later = afterPause(() => change(Number(control.value)), 120);
  const tell = () => {
    value.textContent = say(Number(control.value));
    control.setAttribute("aria-valuetext", value.textContent);
  };
  control.addEventListener("input", () => {
    tell();
    later();
  });
  const field = labelled(label, control, value);
  return {
    element: field,
    control,
    give(number) {
      if (document.activeElement !== control) control.value = number;
      tell();
    },
    limit(least, most) {
      control.min = least;
      control.max = most;
      tell();
    },
  };
}

export function numberField(label, change, { min, max, step = 1 } = {}) {
  const control = element("input", { type: "number", min, max, step, inputmode: "numeric" });
  control.addEventListener(
    "input",
    afterPause(() => {
      if (control.value !== "" && control.checkValidity()) change(Number(control.value));
    }),
  );
  return {
    element: labelled(label, control),
    control,
    give(number) {
      if (document.activeElement !== control) control.value = number;
    },
  };
}

export function choice(label, change) {
  const control = element("select", { change: () => change(control.value) });
  const field = labelled(label, control);
  return {
    element: field,
    control,
    // `options`: [value, words]
    give(options, chosen) {
      control.replaceChildren(
        ...options.map(([value, words]) => element("option", { value, selected: value === chosen }, words)),
      );
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
