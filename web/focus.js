// Keeps the keyboard's place where what has the focus is drawn anew or goes.

const TAKES_FOCUS = "a[href], button:not(:disabled), input, select, textarea, summary, [tabindex='0']";

// Within `frame`, which can have the focus itself.
export function keepFocus(frame) {
  let last = null;
  let around = []; // from the inside out
  frame.addEventListener("focusin", ({ target }) => {
    last = target;
    around = [];
    for (let outer = target.parentElement; outer && outer !== frame; outer = outer.parentElement) around.push(outer);
  });
  frame.addEventListener("focusout", ({ target }) => {
    queueMicrotask(() => {
      if (last === target && target.isConnected && isLost()) last = null; // left, not lost
    });
  });
  new MutationObserver(() => {
    if (!last || last.isConnected || !isLost()) return;
    (heir(last, around) ?? frame).focus({ preventScroll: true });
  }).observe(frame, { childList: true, subtree: true });
}

function isLost() {
  return document.activeElement === document.body || document.activeElement === null;
}

// What has the same words near the place of what went; otherwise the first thing there that takes the focus.
function heir(gone, around) {
  for (const outer of around.filter(({ isConnected }) => isConnected)) {
    if (outer.matches(".view, .view > *")) return undefined;
    const near = [...outer.querySelectorAll(TAKES_FOCUS)].filter((other) => other.checkVisibility());
    const alike = near.find((other) => other.localName === gone.localName && other.textContent === gone.textContent);
    if (near.length > 0) return alike ?? near[0];
  }
  return undefined;
}
