// Requests to the server that the page came from.
import { element, problem } from "./elements.js";

// A failure in words for people; `status` is 0 where there was no answer.
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const BUSY = new Set([429, 503]);
const PATIENCE = 5; // tries while the server is busy

const MISTAKEN = new Set([400, 404]);

let key = sessionStorage.getItem("key") ?? "";
let asking = null;
let whenMistaken = () => {};

// Calls `act` after each request that the server did not take as it was.
export function onMistake(act) {
  whenMistaken = act;
}

export function get(path, signal) {
  return answer(path, { signal });
}

export function post(path, body, signal) {
  return answer(path, { method: "POST", body: JSON.stringify(body), signal });
}

async function answer(path, options) {
  return (await response(path, options)).json();
}

// The events of a stream of completions.
export async function* stream(path, body, signal) {
  const answered = await response(path, { method: "POST", body: JSON.stringify({ ...body, stream: true }), signal });
  const reader = answered.body.pipeThrough(new TextDecoderStream()).getReader();
  let gathered = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    gathered += value;
    const events = gathered.split("\n\n");
    gathered = events.pop();
    for (const event of events) {
      if (!event.startsWith("data: ") || event === "data: [DONE]") continue;
      const data = JSON.parse(event.slice("data: ".length));
      if (data.error) throw new Refusal(data.error.message, 500);
      yield data;
    }
  }
}

async function response(path, options, tries = 1) {
  const used = key;
  let answered;
  try {
    answered = await fetch(path, { ...options, headers: used ? { Authorization: "Bearer " + inBytes(used) } : {} });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The server does not answer. Is it still running?", 0);
  }
  if (answered.ok) return answered;
  if (answered.status === 401) {
    if (used === key) await askForKey();
    return response(path, options);
  }
  if (BUSY.has(answered.status) && answered.headers.has("Retry-After") && tries < PATIENCE) {
    await pause(1000 * Number(answered.headers.get("Retry-After")), options.signal);
    return response(path, options, tries + 1);
  }
  if (MISTAKEN.has(answered.status)) whenMistaken();
  throw new Refusal(await reason(answered), answered.status);
}

// Headers take bytes, one for each letter.
function inBytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

async function reason(answered) {
  try {
    const { message } = (await answered.json()).error;
    return message[0].toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? "" : ".");
  } catch {
    return `The server answered ${answered.status} ${answered.statusText}.`;
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

// One question, however many requests wait for its answer.
function askForKey() {
  asking ??= new Promise((resolve) => {
    const field = element("input", { type: "password", id: "key", autocomplete: "off", required: true });
    const dialog = element(
      "dialog",
      { "aria-labelledby": "key-title" },
      element(
        "form",
        { method: "dialog" },
        element("h2", { id: "key-title" }, "This server asks for a key"),
        key !== "" && problem("The key that was given is wrong."),
        element("label", { for: "key" }, "Key, as given to ", element("code", {}, "unroll serve --api-key")),
        field,
        element("button", { class: "primary" }, "Continue"),
      ),
    );
    dialog.addEventListener("close", () => {
      key = field.value;
      sessionStorage.setItem("key", key);
      dialog.remove();
      asking = null;
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

// Runs one thing at a time: what runs still is aborted when something newer begins.
export class Newest {
  #control = null;

  // What `work` returns, or undefined if something newer began.
  async run(work) {
    this.stop();
    const control = new AbortController();
    this.#control = control;
    try {
      const result = await work(control.signal);
      return control.signal.aborted ? undefined : result;
    } catch (error) {
      if (control.signal.aborted) return undefined;
      throw error;
    } finally {
      if (this.#control === control) this.#control = null;
    }
  }

  stop() {
    this.#control?.abort();
    this.#control = null;
  }

  get runs() {
    return this.#control !== null;
  }
}

// `act`, once for many calls in a row.
export function afterPause(act, milliseconds = 250) {
  let waiting;
  return (...values) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => act(...values), milliseconds);
  };
}
