// The symbols that the model finds most probable at a place, with their shares.
import { element } from "./elements.js";
import { isText, percent, shown, spoken } from "./symbols.js";

// `top`: symbol to log-probability. With `choose`, each is a button that calls it with its symbol.
export function alternatives(top, chosen, choose) {
  const sorted = Object.entries(top).sort(([, a], [, b]) => b - a);
  return element(
    "ol",
    { class: "alternatives", "aria-live": "off" },
    sorted.map(([symbol, logProb]) => {
      const share = Math.exp(logProb);
      const inside = [
        named(symbol),
        bar(share),
        element("span", { class: "number" }, percent(share)),
      ];
      return element(
        "li",
        { class: symbol === chosen ? "chosen" : undefined },
        choose && isText(symbol)
          ? element(
              "button",
              { type: "button", class: "alternative", click: () => choose(symbol) },
              inside,
              element("span", { class: "unseen" }, ": go on from here with it"),
            )
          : element("div", { class: "alternative" }, inside),
      );
    }),
  );
}

// A symbol standing alone, for eyes and for ears.
export function named(symbol) {
  const [seen, heard] = [shown(symbol), spoken(symbol)];
  return seen === heard
    ? element("bdi", { class: "symbol" }, seen)
    : [
        element("bdi", { class: "symbol", "aria-hidden": "true" }, seen),
        element("span", { class: "unseen" }, heard + " "),
      ];
}

export function bar(share) {
  const filled = element("span", { class: "filled" });
  filled.style.width = `${100 * share}%`;
  return element("span", { class: "share", "aria-hidden": "true" }, filled);
}
