// Models of other sizes, and reports about some: node models.mjs CHROMIUM FILE [NAME ...], see browser.mjs.
import assert from "node:assert/strict";
import { PHONE, WIDE, browser, close, complete, expectUsable, expected, open, run } from "./browser.mjs";

const TEXT_VIEWS = ["unrolled", "write", "read", "gradients", "neurons"];

async function expectFits(page, what) {
  const [width, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width <= window, `${what} is ${width} wide`);
}

// Each view of texts shows a picture, says nothing is wrong, and can be used.
async function expectAllViews(model, text) {
  for (const view of TEXT_VIEWS) {
    const what = `${view} of ${model}`;
    const page = await open(`#${view}?${new URLSearchParams({ model, text })}`);
    assert.deepEqual(await page.locator(".problem:visible, .notice:visible").allTextContents(), [], what);
    const shown = page.locator(view === "read" ? ".symbols p" : "figure.picture svg").first();
    assert.ok(await shown.isVisible(), what);
    await expectUsable(page, what);
    await expectFits(page, what);
    await close(page);
  }
}

await run({
  async twoLayersAreShownInEveryView() {
    await expectAllViews("deep", expected.sentence);
    const page = await open(`#unrolled?${new URLSearchParams({ model: "deep", text: expected.sentence })}`);
    assert.match(await page.locator("main").textContent(), /layer 1/, "the second layer is named");
    await close(page);
  },

  async tenThousandWordsAreShownInEveryView() {
    await expectAllViews("words", expected.words);
  },

  async reportsCanBeReadByEverybody() {
    for (const report of expected.reports) {
      for (const [viewport, colorScheme] of [
        [WIDE, "light"],
        [PHONE, "dark"],
      ]) {
        const context = await browser.newContext({ viewport, colorScheme });
        const page = await context.newPage();
        page.complaints = [];
        page.asking = new Set();
        page.on("console", (message) => page.complaints.push(message.text()));
        await page.goto(report);
        await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
        await complete(page);
        const what = `${report} at ${viewport.width}`;
        await expectUsable(page, what);
        await expectFits(page, what);
        assert.equal(await page.locator("body > :not(main), th:empty").count(), 0, what);
        await close(page);
      }
    }
  },
});
