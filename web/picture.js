// A picture of the engine's (POST /v1/draw): the SVG, its sentence, its numbers as a table, both to be saved.
import { Newest, post } from "./api.js";
import { breathe, element, marked, problem, replaceChildren, svgElement } from "./elements.js";
import { count } from "./symbols.js";

const ROWS_SHOWN = 400;
const ROWS_AT_ONCE = 50;
const NARROW = 780; // pixels, up to which a sentence has its place beside the picture
const SHRINKS = 1000; // pixels
const SMALLEST = 0.8; // of their own size, at which letters can still be read

// Files get the style sheet of the page: it is here before anybody saves, so that the server may have gone by then.
const style = fetch("picture.css").then(
  (answer) => (answer.ok ? answer.text() : ""),
  () => "",
);

export class Picture {
  #newest = new Newest();
  #canvas;
  #sentence = element("figcaption", {});
  #problem = problem();
  #tools;
  #saved = element("p", { class: "note", role: "status" });
  #table;
  #asked = "";
  #ready;

  // `ready(svg, answer)` is called with every new picture.
  constructor(title, ready = () => {}) {
    this.title = title;
    this.answer = null;
    this.keeps = false; // the picture that stands there, where another cannot be had
    this.#ready = ready;
    this.#canvas = element("div", { class: "canvas", role: "region", "aria-label": title, tabindex: "0" });
    this.#table = element("div", { class: "table", role: "region", "aria-label": "Table: " + title, tabindex: "0" });
    const twin = element(
      "details",
      { toggle: () => twin.open && this.answer && this.#fillTable() },
      element("summary", {}, "The numbers as a table"),
      this.#table,
    );
    this.#tools = element(
      "div",
      { class: "tools", hidden: true },
      twin,
      element("button", { type: "button", class: "quiet", click: () => this.#saveSvg() }, "Save SVG"),
      element("button", { type: "button", class: "quiet", click: () => this.#saveCsv() }, "Save CSV"),
      this.#saved,
    );
    this.twin = twin;
    this.element = element(
      "figure",
      { class: "picture", hidden: true },
      this.#sentence,
      this.#problem,
      this.#canvas,
      this.#tools,
    );
  }

  get svg() {
    return this.#canvas.querySelector("svg");
  }

  // Scrolls sideways as far as it takes to see a part of a wide picture.
  bringIntoView(part) {
    const seen = this.#canvas.getBoundingClientRect();
    const { left, right } = part.getBoundingClientRect();
    if (right > seen.right) this.#canvas.scrollLeft += right - seen.right;
    else if (left < seen.left) this.#canvas.scrollLeft -= seen.left - left;
  }

  // Draws what `request` asks for, unless that is what stands there. Returns the answer; undefined where something
  // newer was asked meanwhile, null where there is no such picture.
  async draw(request) {
    const asked = JSON.stringify(request);
    if (asked === this.#asked) return this.answer;
    this.#asked = asked;
    this.element.hidden = false;
    this.element.setAttribute("aria-busy", "true");
    try {
      const answer = await this.#newest.run((signal) => post(this.path ?? "v1/draw", request, signal));
      if (answer === undefined) return undefined;
      this.#show(answer);
      return answer;
    } catch (error) {
      this.#asked = "";
      if (!this.keeps || !this.answer) this.#refuse(error.message);
      return null;
    } finally {
      if (!this.#newest.runs) this.element.removeAttribute("aria-busy");
    }
  }

  hide() {
    this.#newest.stop();
    this.#asked = "";
    this.answer = null;
    this.element.hidden = true;
  }

  #show(answer) {
    this.answer = answer;
    const svg = svgElement(answer.svg);
    this.element.classList.toggle("narrow", fit(svg));
    this.#problem.hidden = true;
    this.#sentence.hidden = false;
    const sentence = answer.sentence + (/[.!?]$/.test(answer.sentence) ? "" : ".");
    replaceChildren(this.#sentence, marked(sentence));
    this.#saved.textContent = "";
    this.#canvas.hidden = false;
    this.#tools.hidden = false;
    this.#canvas.replaceChildren(svg);
    this.#table.replaceChildren();
    if (this.twin.open) this.#fillTable();
    this.#ready(svg, answer);
    this.element.dispatchEvent(new CustomEvent("drawn", { bubbles: true, detail: sentence.replaceAll("`", "") }));
  }

  #refuse(message) {
    this.answer = null;
    this.#canvas.hidden = true;
    this.#tools.hidden = true;
    this.#sentence.hidden = true;
    this.#problem.hidden = false;
    replaceChildren(this.#problem, marked(message));
  }

  async #fillTable() {
    const { columns, rows } = this.answer.table;
    const body = element("tbody", {});
    const rest = rows.length - ROWS_SHOWN;
    replaceChildren(
      this.#table,
      element(
        "table",
        {},
        element("caption", {}, this.answer.title),
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            columns.map((name) => element("th", { scope: "col" }, name)),
          ),
        ),
        body,
      ),
      rest > 0 && element("p", { class: "note" }, `${count(rest)} more rows are in the CSV file.`),
    );
    for (let row = 0; row < Math.min(rows.length, ROWS_SHOWN); row += ROWS_AT_ONCE) {
      body.append(
        ...rows.slice(row, Math.min(row + ROWS_AT_ONCE, ROWS_SHOWN)).map((cells) =>
          element(
            "tr",
            {},
            cells.map((cell) =>
              element(
                "td",
                { class: typeof cell === "number" ? "number" : undefined },
                element("bdi", {}, written(cell)),
              ),
            ),
          ),
        ),
      );
      await breathe();
    }
  }

  async #saveSvg() {
    const { svg, picture } = this.answer;
    const sheet = await style;
    this.#saved.textContent = sheet === "" ? "The style sheet did not come from the server: load the page anew." : "";
    if (sheet !== "") save(standalone(svg, sheet), "image/svg+xml", `${picture}.svg`);
  }

  #saveCsv() {
    const { columns, rows } = this.answer.table;
    save(
      [columns, ...rows].map((row) => row.map(csvCell).join(",") + "\r\n").join(""),
      "text/csv",
      `${this.answer.picture}.csv`,
    );
  }
}

// Wide pictures keep letters that can be read: they are scrolled, and hardly shrunk. Whether this one is narrow.
function fit(svg) {
  const [, , width] = (svg.getAttribute("viewBox") ?? "0 0 640 320").split(/[ ,]+/).map(Number);
  svg.removeAttribute("height");
  svg.setAttribute("width", width);
  svg.style.setProperty("--least", `${SMALLEST * width}px`);
  svg.classList.toggle("shrinks", width <= SHRINKS);
  return width <= NARROW;
}

// As `unroll draw` writes it.
function standalone(svg, sheet) {
  const end = "</desc>\n";
  const at = svg.indexOf(end) + end.length;
  return `${svg.slice(0, at)}<style>\n${sheet}</style>\n${svg.slice(at)}`;
}

function written(cell) {
  if (cell === null) return "–";
  return typeof cell === "number" ? String(Number(cell.toPrecision(6))) : String(cell);
}

// As RFC 4180; a text that a spreadsheet would compute gets an apostrophe.
function csvCell(cell) {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const text = /^[=+@\t-]./.test(cell) ? "'" + cell : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(text, type, name) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
