// The loop of the picture "unrolled" and its columns, of which one is seen; columns come out of the loop.

export class Morph {
  isLoop = false;
  #svg = null;

  // Takes a new picture, in the form that the one before had.
  take(svg) {
    this.#svg = svg;
    const loop = svg.querySelector("g.loop");
    if (!loop) return;
    svg.classList.add("still");
    svg.classList.toggle("rolled", this.isLoop);
    this.#measure(loop);
    requestAnimationFrame(() => requestAnimationFrame(() => svg.classList.remove("still")));
  }

  turn() {
    this.isLoop = !this.isLoop;
    this.#svg?.classList.toggle("rolled", this.isLoop);
  }

  // How far each column is from the loop, for the style sheet.
  #measure(loop) {
    const target = centre(loop);
    for (const column of this.#svg.querySelectorAll("g.column")) {
      const from = centre(column);
      column.style.setProperty("--to-loop-x", `${target.x - from.x}px`);
      column.style.setProperty("--to-loop-y", `${target.y - from.y}px`);
    }
  }
}

function centre(group) {
  const { x, y, width, height } = group.getBBox();
  return { x: x + width / 2, y: y + height / 2 };
}
