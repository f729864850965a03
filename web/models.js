// What is known of the server's models, those of the program among them (GET /v1/models).
import { get } from "./api.js";

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
