// What is known of the server's models, those of the program among them (GET /v1/models).
import { get } from "./api.js";
import { link } from "./link.js";

const TASKS = {
  language: "language model",
  classify: "classifier",
  tag: "tagger",
  conditional: "conditional language model",
  regress: "regression",
};

let all = [];

export async function loadModels() {
  all = (await get("v1/models?twins=true")).data.map((model) => ({ id: model.id, ...model.unroll }));
  return all;
}

export function models() {
  return all;
}

export function modelNamed(id) {
  return all.find((model) => model.id === id);
}

// Models for one of `tasks`; all of them where that is undefined.
export function modelsFor(tasks) {
  return tasks ? all.filter((model) => tasks.includes(model.task)) : all;
}

// The models that can stand beside one: a conditional one only beside another that has the same label.
export function modelsBeside(model) {
  const label = labelOf(model);
  return all.filter(
    (other) =>
      other !== model && (other.task === "language" || (other.task === "conditional" && other.labels.includes(label))),
  );
}

// What a conditional model is given; undefined of others.
export function labelOf(model) {
  if (model.task !== "conditional") return undefined;
  const named = link.get("label");
  return model.labels.includes(named) ? named : model.labels[0];
}

// The fields of a request to a model.
export function asked(model) {
  return { model: model.id, label: labelOf(model) };
}

// Whether a model predicts nothing before it has read a first symbol.
export function needsFirstSymbol(model) {
  return model.begin === "none";
}

export function isOfWords(model) {
  return ["word", "whitespace"].includes(model.tokenizer);
}

// "book · LSTM 2 × 128".
export function words(model) {
  const cell = model.cell.replace(/^rnn-/, "").replace(/^(lstm|gru)$/, (name) => name.toUpperCase());
  const size = model.layers > 1 ? `${model.layers} × ${model.hidden}` : model.hidden;
  const kind = model.task === "language" ? "" : taskOf(model) + ", ";
  return `${model.id} · ${kind}${cell} ${size}`;
}

export function taskOf(model) {
  return TASKS[model.task] ?? model.task;
}
