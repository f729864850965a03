// Symbols and numbers as people read them.

const NAMES = new Map([
  ["\n", "↵"],
  ["\t", "⇥"],
  ["\r", "␍"],
  [" ", "␣"],
  ["", "∅"],
]);

// A symbol standing alone: white space visible, what is invisible as \xHH, a combining mark on a dotted circle.
export function shown(symbol) {
  if (NAMES.has(symbol)) return NAMES.get(symbol);
  if (/^[\p{Cf}\p{Zl}\p{Zp}]+$/u.test(symbol)) return escaped(symbol);
  const visible = symbol.replace(/\p{Cc}/gu, (control) => NAMES.get(control) ?? escaped(control));
  return /^\p{M}/u.test(visible) ? "◌" + visible : visible;
}

function escaped(text) {
  return [...new TextEncoder().encode(text)].map((byte) => "\\x" + byte.toString(16).padStart(2, "0")).join("");
}

// The same for a screen reader.
export function spoken(symbol) {
  if (symbol === " ") return "space";
  if (symbol === "\n") return "end of line";
  return shown(symbol);
}

const whole = new Intl.NumberFormat("en");
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 1 });

export function count(number) {
  return whole.format(number);
}

export function counted(number, one, many = one + "s") {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function decimals(number, digits = 2) {
  return Number.isFinite(number) ? number.toFixed(digits) : String(number);
}

export function percent(probability) {
  const points = 100 * probability;
  if (points >= 99.95 && points < 100) return "99.9%";
  if (points >= 10) return points.toFixed(0) + "%";
  if (points >= 0.1) return points.toFixed(1) + "%";
  if (points >= 0.001 || points === 0) return small.format(points) + "%";
  return "<0.001%";
}

export function bits(nats) {
  return nats / Math.LN2;
}

export function duration(seconds) {
  const rounded = Math.round(seconds);
  if (rounded < 90) return `${rounded} s`;
  if (rounded < 5400) return `${Math.round(rounded / 60)} min`;
  return `${(rounded / 3600).toFixed(1)} h`;
}

const PART = /^bytes:((?:\\x[0-9a-f]{2})+)$/;

// Whether the server wrote a symbol as itself, not as bytes that are no character or by its number.
export function isText(symbol) {
  return !PART.test(symbol) && !/^token_id:\d+$/.test(symbol);
}

// What symbols that follow each other add to their text: bytes of a character nothing, but for the last of them.
export class Pieces {
  #decoder = new TextDecoder();

  next(symbol) {
    const part = PART.exec(symbol);
    if (!part) return this.#decoder.decode() + symbol;
    const bytes = part[1].split("\\x").slice(1);
    return this.#decoder.decode(new Uint8Array(bytes.map((hex) => Number.parseInt(hex, 16))), { stream: true });
  }

  // What is left of an unfinished character.
  end() {
    return this.#decoder.decode();
  }
}

// The text of symbols that follow each other; bytes become characters again.
export function joined(symbols) {
  const pieces = new Pieces();
  return symbols.map((symbol) => pieces.next(symbol)).join("") + pieces.end();
}
