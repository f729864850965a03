// Models that need a first symbol or a label, and the units and places of Neurons and Gradients: node units.mjs CHROMIUM
// FILE, as page.mjs.
import assert from "node:assert/strict";
import { close, complete, expected, open, press, run, tabTo, table, type } from "./browser.mjs";

const OF_LANGUAGE = ["unrolled", "write", "read", "gradients", "neurons"];

const problems = (page) => page.locator(".problem:visible").allTextContents();
const value = (page, key) =>
  page.evaluate((name) => new URLSearchParams(location.hash.split("?")[1]).get(name), key);
const becomes = async (page, key, wanted) => {
  await page.waitForFunction(
    ([name, text]) => new URLSearchParams(location.hash.split("?")[1]).get(name) === text,
    [key, wanted],
  );
  await complete(page);
};
const stepsOf = async (page, title) => (await table(page, title)).rows.map(([t]) => t);

await run({
  async aModelThatNeedsAFirstSymbolIsShownInEveryView() {
    for (const view of OF_LANGUAGE) {
      const page = await open(`#${view}?model=silent`);
      assert.deepEqual(await problems(page), [], view);
      assert.ok(await page.locator("figure.picture svg").first().isVisible(), view);
      await close(page);
    }
    const page = await open("#write?model=silent&text=");
    assert.match(await page.locator(".notice").textContent(), /trained with --begin none.*Begin with one/);
    assert.deepEqual(await problems(page), []);
    await type(page, "Beginning", "t");
    assert.equal(await page.locator(".notice").isVisible(), false);
    assert.ok((await page.locator(".symbols p").textContent()).startsWith("t"));
    await close(page);
  },

  async aFailedExampleLeavesTheView() {
    const page = await open("");
    await page.route("**/v1/completions", (route) => route.abort());
    for (const view of ["unrolled", "read", "gradients", "neurons"]) {
      await page.evaluate((name) => (location.hash = `#${name}?model=hostile`), view);
      await complete(page);
      assert.deepEqual(await problems(page), [], view);
      assert.ok(await page.locator("figure.picture svg").first().isVisible(), view);
    }
    page.complaints = page.complaints.filter((complaint) => !complaint.includes("ERR_FAILED"));
    await close(page);
  },

  async anExampleEndsWithAWholeWord() {
    for (const [view, label] of [["unrolled", "Your sentence"], ["read", "Your text"]]) {
      const page = await open(`#${view}?model=repeats`);
      const words = (await page.getByLabel(label, { exact: true }).inputValue()).split(/\s+/);
      assert.ok(words.length > (view === "read" ? 1 : 0));
      for (const word of words) assert.ok(["mountain", "river"].includes(word), word);
      await close(page);
    }
  },

  async aConditionalModelIsGivenItsLabel() {
    const cost = {};
    for (const label of ["glad", "sad"]) {
      const page = await open(`#read?${new URLSearchParams({ model: "mood", label, text: expected.mood.text })}`);
      const first = await page.locator(".totals tbody tr").first().locator("td").first().textContent();
      assert.equal(first, `${expected.mood[label].toFixed(2)} nats`);
      cost[label] = first;
      await close(page);
    }
    assert.notEqual(cost.glad, cost.sad);
    for (const view of OF_LANGUAGE) {
      const page = await open(`#${view}?model=mood`);
      assert.deepEqual(await problems(page), [], view);
      assert.equal(await page.getByLabel("Label", { exact: true }).inputValue(), "glad");
      await page.getByLabel("Label", { exact: true }).selectOption("sad");
      await becomes(page, "label", "sad");
      assert.deepEqual(await problems(page), [], view);
      assert.ok(await page.locator("figure.picture svg").first().isVisible(), view);
      await close(page);
    }
    const page = await open("#read?model=tanh-twin");
    assert.equal(await page.getByLabel("Label", { exact: true }).isVisible(), false);
    await close(page);
  },

  async aUnitIsChosenByItsRowWithThePointerAndTheKeys() {
    const page = await open("#neurons?model=lstm-twin&feature=none");
    const names = () => page.locator("figure.picture").first().locator("text[data-unit]");
    const units = async () => [...new Set(await names().evaluateAll((all) => all.map((one) => one.dataset.unit)))];
    const [first, second, third] = await units();
    await names().nth(1).click();
    await becomes(page, "unit", second);
    assert.ok((await page.getByText(`Gates of unit ${second},`).count()) === 1);
    assert.equal((await units())[0], first, "the rows stay where they are");
    await page.locator(`g[data-unit="${third}"]`).nth(3).click();
    await becomes(page, "unit", third);
    await becomes(page, "at", "3");
    await tabTo(page, `[aria-label="unit ${first}"]`);
    await press(page, "Enter");
    await becomes(page, "unit", first);
    const pressed = page.locator("[aria-pressed=true]");
    assert.equal(await pressed.textContent(), first);
    assert.ok(await pressed.evaluate((button) => button === document.activeElement), "the focus stays");
    await close(page);
  },

  async bothPicturesShowTheSameStepsToTheEndOfALongText() {
    const text = "the king said unto ".repeat(530); // 10,070 symbols
    const page = await open("#neurons?model=gru-twin&feature=none");
    await type(page, "Text", text);
    const both = ["Units over the text", "The gates of the unit"];
    const shown = async () => {
      const [first, second] = [await stepsOf(page, both[0]), await stepsOf(page, both[1])];
      assert.deepEqual(first, second);
      return [Number(first[0]), Number(first.at(-1))];
    };
    assert.deepEqual(await shown(), [0, 199]);
    await page.locator("g.step[data-t='7'] text").first().click();
    await becomes(page, "at", "7");
    assert.equal(await page.locator("g.step.at[data-t='7']").count(), 2);
    await press(page, "ArrowRight", "ArrowRight", "ArrowLeft");
    await becomes(page, "at", "8");
    await page.getByRole("button", { name: "Later" }).click();
    await becomes(page, "first", "200");
    assert.deepEqual(await shown(), [200, 399]);
    await page.getByLabel("Shown from step").focus();
    await press(page, "End");
    await page.waitForTimeout(200); // as the page waits for more
    await complete(page);
    const [, last] = await shown();
    assert.equal(last, text.length); // step 0 reads what a text begins after
    await page.getByRole("button", { name: "Before" }).click();
    await becomes(page, "at", String(last - 1));
    assert.deepEqual(await problems(page), []);
    await close(page);
  },

  async whereNoUnitFollowsThePageSaysWhy() {
    const page = await open("#neurons?model=tanh-twin&feature=quotes&text=the+king");
    const says = await page.locator(".found p").textContent();
    assert.equal(says, "No unit does: “inside quotes” is the same at every symbol of the text.");
    await close(page);
  },

  async whatIsSelectedIsMarkedAndPassagesAreGoneTo() {
    const page = await open("#neurons?model=lstm-twin");
    const select = async (words) => {
      const text = page.getByLabel("Text", { exact: true });
      await text.evaluate((field, wanted) => {
        const from = field.value.indexOf(wanted);
        field.setSelectionRange(from, from + wanted.length);
      }, words);
      await page.getByRole("button", { name: /selected text/ }).click();
      await page.waitForFunction(() => location.hash.includes("from="));
      await complete(page);
      return page.locator(".found p").first().textContent();
    };
    assert.match(await select("And"), /^These are on throughout “And”/);
    const marked = page.locator("figure.picture").first().locator("g.step:has(rect.selection) > text");
    assert.equal((await marked.allTextContents()).join(""), "And");
    const margins = await page.locator(".found tbody td:nth-child(3)").allTextContents();
    assert.ok(margins.every((margin) => Number(margin) >= 0.5), margins.join());
    await page.locator(".passages button").first().click();
    await page.waitForFunction(() => location.hash.includes("at="));
    await complete(page);
    assert.equal(await page.locator("figure.picture").first().locator("g.step.at").count(), 1);
    assert.match(await select("the water is"), /^No unit holds “the water is” together/);
    assert.equal(await page.locator(".passages").count(), 0);
    await close(page);
  },

  async gradientsBeginAsTrainingDoes() {
    const page = await open("#gradients?model=tanh-twin");
    const field = page.locator(".field", { has: page.getByLabel(/^Radius of W/) });
    assert.match(await field.locator("output").textContent(), /^0\.\d\d, as training begins$/);
    const untrained = await table(page, "Gradients by lag in networks that have not learned yet");
    assert.ok(untrained.columns.includes("untrained rnn-tanh median"), untrained.columns.join());
    await press(page, "Escape", "ArrowLeft");
    await page.waitForFunction(() => location.hash.includes("at="));
    await complete(page);
    const at = Number(await value(page, "at"));
    assert.match(await page.getByText(/^What is left/).last().textContent(), new RegExp(`at step ${at} of ${at}`));
    await press(page, "ArrowLeft");
    await becomes(page, "at", String(at - 1));
    assert.deepEqual(await problems(page), []);
    await close(page);
  },
});
