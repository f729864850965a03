// One number of the network, changed by hand: what follows at every step.
import { button, choice, controls, numberField, slider } from "../controls.js";
import { element } from "../elements.js";

const VALUES = { min: -5, max: 5, step: 0.05 };

export class Change {
  #set;
  #facts = {};
  #matrix = choice("Matrix", () => {
    this.#place();
    this.#tell();
  });
  #row = numberField("Row", () => this.#tell(), { min: 0 });
  #column = numberField("Column", () => this.#tell(), { min: 0 });
  #value = slider("becomes", () => this.#tell(true), {
    ...VALUES,
    say: (value) => (this.#changed ? String(value) : "as trained"),
  });
  #changed = false;

  // `set(change)` is called with what the link is to hold; undefined is the network as it was trained.
  constructor(set) {
    this.#set = set;
    this.element = element(
      "details",
      { class: "change" },
      element("summary", {}, "Change one number of the network"),
      element("p", { class: "note" }, "All steps share it: a number of U or W moves all states after its first use, one of V all predictions."),
      controls(
        this.#matrix,
        this.#row,
        this.#column,
        this.#value,
        button("As trained", () => this.#set(undefined), { small: true }),
      ),
    );
  }

  // Offers the largest numbers to be changed, by the facts of the picture.
  offer(facts) {
    this.#facts = facts;
    if (!this.#changed) this.#place();
  }

  // `change`: MATRIX,ROW,COLUMN,VALUE, as the picture takes it, or undefined.
  show(model, change) {
    const [matrix = model.numbers.W > 0 ? "W" : "U", row = "0", column = "0", value = "0"] = (change ?? "").split(",").filter(Boolean);
    this.#changed = change !== undefined;
    if (this.#changed) this.element.open = true;
    const offered = matrices(model).map((name) => [name, name]);
    this.#matrix.give(offered, offered.some(([name]) => name === matrix) ? matrix : offered[0][0]);
    if (this.#changed) {
      this.#row.give(row);
      this.#column.give(column);
    }
    if (this.#changed) this.#value.give(Number(value));
    else this.#place();
  }

  #place() {
    const name = this.#matrix.control.value;
    this.#row.give(this.#facts[`${name} largest row`] ?? 0);
    this.#column.give(this.#facts[`${name} largest column`] ?? 0);
    this.#value.give(this.#facts[`${name} largest`] ?? 0);
  }

  // Another place alone changes nothing; another value does.
  #tell(moved = this.#changed) {
    if (!moved) return;
    const place = [this.#matrix, this.#row, this.#column].map(({ control }) => control.value || "0");
    this.#set([...place, this.#value.control.value].join(","));
  }
}

// U, W and V; of several layers U0, W0, U1, ...; a minimal cell has no W.
function matrices(model) {
  const letters = model.numbers.W > 0 ? ["U", "W"] : ["U"];
  const names = Array.from({ length: model.layers }, (_, layer) =>
    letters.map((letter) => (layer === 0 ? letter : letter + layer)),
  );
  return [...names.flat(), "V"];
}
