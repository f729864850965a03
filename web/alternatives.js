// The symbols that the model finds most probable at a place, with their shares.
import { element } from "./elements.js";
import { isText, percent, shown, spoken } from "./symbols.js";

// `top`: symbol to log-probability. With `choose`, each is a button that calls it with its symbol.
export function alternatives(top, chosen, choose) {
  const sorted = Object.entries(top).sort(([, a], [, b]) => b - a);
  return element(
    "ol",
    { class: "alternatives" },
    sorted.map(([symbol, logProb]) => {
      const share = Math.exp(logProb);
      const inside = [
        element("bdi", { class: "symbol" }, shown(symbol)),
        bar(share),
        element(
          "span",
          { class: "number" },
          spoken(symbol) !== shown(symbol) && element("span", { class: "unseen" }, spoken(symbol) + ", "),
          percent(share),
        ),
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

export function bar(share) {
  const filled = element("span", { class: "filled" });
  filled.style.width = `${100 * share}%`;
  return element("span", { class: "share", "aria-hidden": "true" }, filled);
}
