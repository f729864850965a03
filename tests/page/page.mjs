// What the views show: node page.mjs CHROMIUM FILE [NAME ...], see browser.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PHONE, VIEWS, WIDE, close, complete, expectUsable, expected, key, open, press, run, tabTo, table, type, url } from "./browser.mjs";

function near(value, wanted, what) {
  assert.ok(
    Math.abs(value - wanted) <= 1e-4 * Math.max(1e-12, Math.abs(wanted)),
    `${what}: ${value}, expected ${wanted}`,
  );
}

await run({
  async everyViewIsQuietAndCanBeUsedByEverybody() {
    for (const [viewport, colorScheme] of [
      [WIDE, "light"],
      [PHONE, "dark"],
    ]) {
      for (const view of VIEWS) {
        const page = await open(`#${view}`, { viewport, colorScheme });
        assert.deepEqual(await page.locator(".problem:visible").allTextContents(), [], view);
        assert.ok((await page.locator(".sentence").textContent()).length > 40, view);
        assert.equal(await page.getByRole("navigation").locator("[aria-current=page]").count(), 1);
        assert.ok(
          await page
            .locator(view === "learning" ? ".notice" : "figure.picture svg")
            .first()
            .isVisible(),
          view,
        );
        assert.equal(await page.locator("details:visible:not(:has(> summary))").count(), 0, view);
        const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(widths[0] <= widths[1], `${view} is ${widths[0]} wide at ${viewport.width}`);
        const unnamed = await page.locator("svg.picture:not([role=img]), svg.picture:not(:has(> title))").count();
        assert.equal(unnamed, 0, `${view} has a picture without a name`);
        await page.evaluate(() => {
          const seen = [...document.querySelectorAll("details")].filter((details) => details.checkVisibility());
          for (const details of [seen[0], seen.at(-1)]) details.open = true; // a picture's numbers, and the keys
        });
        await complete(page);
        const rules = viewport === WIDE ? {} : { runOnly: ["color-contrast", "scrollable-region-focusable", "skip-link"] };
        await expectUsable(page, `${view} at ${viewport.width}`, rules);
        await close(page);
      }
    }
  },

  async unrolledShowsAsManyNumbersAsInspect() {
    const page = await open("#unrolled?model=tanh-twin&text=abc");
    const says = () => page.locator(".shared-says").textContent();
    assert.ok((await says()).startsWith(expected.parameters), await says());
    const columns = await page.locator("svg g.column").count();
    await type(page, "Your sentence", "abcdef");
    assert.ok((await says()).startsWith(expected.parameters), "the counter stands still");
    assert.equal(await page.locator("svg g.column").count(), columns + 3);
    await page.locator("button.weight.W").hover();
    assert.match(await says(), new RegExp(`^W: ${expected.W} numbers \\(64 × 64\\), used \\d+ times`));
    assert.equal(await page.locator("svg.lit-W").count(), 1);
    await close(page);
  },

  async oneNumberMovesAllStates() {
    const page = await open("#unrolled?model=gru-twin&text=the+king");
    await page.getByText("Change one number of the network").click();
    await page.getByLabel(/^becomes/).focus();
    await press(page, "End");
    await page.waitForFunction(() => location.hash.includes("change=W%2C"));
    await complete(page);
    const { columns, rows } = await table(page, "The network unrolled over the sentence");
    const moved = rows.map((row) => Number(row[columns.indexOf("state moved")]));
    assert.equal(moved[0], 0);
    assert.ok(
      moved.slice(1).every((by) => by > 0),
      String(moved),
    );
    await page.getByRole("button", { name: "As trained" }).click();
    await complete(page);
    assert.equal(await page.locator("svg .changed").count(), 0);
    await close(page);
  },

  async otherUnitsOfAStepAreShown() {
    const page = await open("#unrolled?model=tanh-twin&text=the");
    const units = page.getByLabel(/^Units/);
    await units.focus();
    await press(page, "End");
    await page.waitForFunction(() => location.hash.includes("unit=60"));
    await complete(page);
    const { rows } = await table(page, "The state of this step, in numbers");
    assert.deepEqual(
      rows.map(([unit]) => unit),
      ["60", "61", "62", "63"],
    );
    await close(page);
  },

  async unrolledPredictsWhatScoreSays() {
    for (const [twin, shares] of Object.entries(expected.shares)) {
      const page = await open(`#unrolled?${new URLSearchParams({ model: `${twin}-twin`, text: expected.first })}`);
      const { columns, rows } = await table(page, "The network unrolled over the sentence");
      assert.equal(rows.length, shares.length);
      rows.forEach((row, t) => near(Number(row[columns.indexOf("share")]), shares[t], `${twin}, step ${t}`));
      await close(page);
    }
  },

  async readShowsWhatScoreSays() {
    const page = await open(
      `#read?${new URLSearchParams({ model: "tanh-twin", text: expected.first, second: expected.second })}`,
    );
    const [first, second] = await page.locator(".totals tbody tr").first().locator("td").allTextContents();
    assert.equal(first, `${expected.firstLogProb.toFixed(2)} nats`);
    assert.equal(second, `${expected.secondLogProb.toFixed(2)} nats`);
    await page.locator(".symbols [data-i='3']").first().click();
    const details = page.locator(".details");
    assert.match(await details.innerText(), new RegExp(`rank ${expected.fourthRank}\n`));
    await details.locator(".alternatives").waitFor();
    await close(page);
  },

  async whatDoesNotCompareIsSaidSo() {
    const texts = { text: `${expected.hostile} zyzzyva`, beside: "gru-twin", at: 3 };
    const page = await open(`#read?${new URLSearchParams({ model: "hostile", ...texts })}`);
    assert.match(await page.locator("p.headline").textContent(), /do not compare/);
    assert.match(await page.locator(".totals").textContent(), /\*.*unknown to the model/s);
    assert.equal(await page.locator(".symbols .chosen").count(), 1, "the link's symbol");
    await page.getByText("zyzzyva", { exact: true }).first().click();
    await complete(page);
    assert.match(await page.locator(".details").textContent(), /Unknown to the model/);
    await close(page);
  },

  async bytesOfACharacterAreReadAsIt() {
    const page = await open(`#read?${new URLSearchParams({ model: "bytes", text: expected.hebrew })}`);
    assert.equal(await page.locator(".symbols p").first().textContent(), expected.hebrew + "↵");
    await page.goto(`${url}#write?${new URLSearchParams({ model: "bytes", text: expected.hebrew, length: 30 })}`);
    await complete(page);
    assert.ok(!(await page.locator(".symbols p").textContent()).includes("bytes:"));
    await close(page);
  },

  async aSymbolIsPointedAtToSeeWhatItsPredictionRestsOn() {
    const page = await open(`#gradients?${new URLSearchParams({ model: "tanh-twin", text: expected.first })}`);
    await page.locator('svg g.symbol-cell[data-t="8"]').click();
    await page.waitForFunction(() => location.hash.includes("at=7"));
    await complete(page);
    assert.equal(await page.locator("svg g.symbol-cell.predicted").getAttribute("data-t"), "8");
    const { rows } = await table(page, "What a prediction depends on");
    assert.deepEqual([rows[0][0], rows.at(-1)[0]], ["0", "7"]);
    await close(page);
  },

  async writeWritesWhatGenerateWrites() {
    const { prompt, text, ...drawn } = expected.written;
    const hash = `#write?${new URLSearchParams({ model: "lstm-twin", text: prompt, ...drawn })}`;
    const page = await open(hash);
    assert.equal(await page.locator(".symbols p").textContent(), prompt + text);
    const dice = await table(page, "The die that chose this symbol");
    assert.ok(dice.rows.length <= drawn.top_k, "the die has the symbols that the filters leave");
    await page.locator(".symbols [data-i='4']").click();
    await complete(page);
    const other = page.locator(".alternatives li:not(.chosen) button").first();
    const symbol = (await other.locator(".symbol").textContent()).replace("␣", " ").replace("↵", "\n");
    await other.click();
    await complete(page);
    assert.equal(await page.locator(".symbols .given").textContent(), prompt + text.slice(0, 4) + symbol, "a fork");
    await page.goBack();
    await complete(page);
    assert.equal(await page.locator(".symbols p").textContent(), prompt + text, "the way back");
    await close(page);
  },

  async gradientsAreThoseOfGradflow() {
    const page = await open(
      `#gradients?${new URLSearchParams({ model: "tanh-twin", text: expected.first, beside: "", lags: 10 })}`,
    );
    const { columns, rows } = await table(page, "Gradients by lag");
    const column = columns.findIndex((name) => /median|tanh-twin/.test(name));
    for (const [lag, median] of expected.medians) {
      const row = rows.find(([shown]) => Number(shown) === lag);
      near(Number(row[column]), median, `lag ${lag}`);
    }
    await close(page);
  },

  async answersAreThoseOfClassify() {
    const page = await open(`#answers?${new URLSearchParams({ model: "reviews", text: expected.review })}`);
    assert.equal(await page.locator(".answer .label").first().textContent(), expected.label);
    const { columns, rows } = await table(page, "The answer after each word: your text");
    const last = rows.at(-1);
    near(Number(last[columns.indexOf(expected.label)]), expected.probability, "the last point");
    await close(page);
  },

  async aTextMayHaveSeveralLabelsOrNone() {
    const page = await open("#answers?model=several&text=a+b&second=zyzzyva");
    const given = await page.locator(".answer .label").allTextContents();
    assert.equal(given.length, 2);
    for (const one of given) assert.match(one, /^(a, b|b, a|a|b|no label)$/);
    assert.match(await page.locator("div.answer").nth(1).textContent(), /1 word of \d+ unknown/);
    await close(page);
  },

  async aTaggerTagsEveryWord() {
    const page = await open("#answers?model=tagger&text=Anna+sees+Bonn");
    assert.deepEqual(await page.locator(".tagged b").allTextContents(), ["B-PER", "O", "B-LOC"]);
    assert.deepEqual(await page.locator(".problem:visible").allTextContents(), []);
    assert.equal(await page.locator("figure.picture svg").count(), 1);
    await close(page);
  },

  async aWordOfATaggerSaysWhatSpeaksForItsTag() {
    const page = await open("#answers?model=tagger&text=Anna+sees+Bonn");
    await page.locator(".tagged .word").nth(2).click();
    await page.locator("figure.picture g.moved").nth(2).waitFor();
    await page.waitForFunction(() => location.hash.includes("at=2"));
    await page.locator("h1").click(); // off the text
    await press(page, "ArrowLeft");
    await page.locator(".tagged li:nth-child(2) .word[aria-pressed=true]").waitFor();
    assert.match(await page.locator("figure.picture").first().textContent(), /what speaks for/);
    await close(page);
  },

  async withoutAModelAClassifierAnswers() {
    const page = await open("#answers?model=testament-twin");
    assert.match(await page.locator(".answers > .note").textContent(), /the last state alone/);
    assert.equal(await page.locator(".answer .label").first().textContent(), "new");
    await close(page);
    const two = await open(`#answers?${new URLSearchParams({ model: "reviews", beside: "testament-twin", text: "bad" })}`);
    assert.equal(await two.locator("section").first().locator(".answer .label").count(), 2);
    await close(two);
  },

  async statesAndGradientsOfAnswersAreShownByWord() {
    const page = await open("#neurons?model=testament-twin&text=In+the+beginning");
    const { columns, rows } = await table(page, "Units over the text");
    const reads = rows.map((row) => row[columns.indexOf("reads")]);
    assert.deepEqual(reads.slice(0, 3), ["In", "the", "beginning"]);
    assert.equal(rows.length, 4);
    await close(page);
    const gradients = await open("#gradients?model=testament-twin&text=In+the+beginning&lags=20");
    assert.equal((await table(gradients, "Gradients by lag")).rows.length, 4);
    assert.match(await gradients.locator("figure.picture").first().textContent(), /the first word has/);
    await close(gradients);
  },

  async theMoreProbableTextIsNamed() {
    const texts = { text: expected.second, second: expected.first };
    const page = await open(`#read?${new URLSearchParams({ model: "tanh-twin", ...texts })}`);
    const headline = await page.locator("p.headline").textContent();
    assert.match(headline, /^The second is 10[0-9.]+ times as probable as the first/);
    await type(page, "Your text", "");
    await type(page, "The other text", "");
    assert.equal(await page.locator("main h2:visible, p.headline:visible, .paper:visible").count(), 0);
    await close(page);
  },

  async unitsOfTheCellAreLookedAtAsSuch() {
    const page = await open("#neurons?model=lstm-twin&feature=line");
    const cell = page.locator(".found button", { hasText: "c " }).first();
    const unit = (await cell.textContent()).replace("c ", "");
    await cell.click();
    await page.waitForFunction((wanted) => location.hash.includes(wanted), `unit=${unit}&of=c`);
    await complete(page);
    await close(page);
    const without = await open("#neurons?model=tanh-twin&unit=3&of=c");
    assert.deepEqual(await without.locator(".problem:visible").allTextContents(), []);
    await close(without);
  },

  async whatTruncationLosesIsSaidInWords() {
    const page = await open(
      `#gradients?${new URLSearchParams({ model: "tanh-twin", text: expected.first, truncate: 3 })}`,
    );
    const { columns, rows } = await table(page, "What truncation loses at each length");
    const cosine = Number(rows.find(([length]) => length === "3")[columns.indexOf("cosine layers")]);
    const says = page.getByText(/^At 3 steps the gradient/);
    assert.ok((await says.textContent()).includes(`a cosine of ${cosine.toFixed(3)}`));
    await close(page);
  },

  async valuesOutOfRangeAreBroughtIntoIt() {
    const asked = {
      "gradients?lags=-5&radius=99&forget=-1&truncate=0": { "Steps back": "5", "Length of BPTT": "1" },
      "neurons?unit=999&layer=7": { Unit: "63" },
      "write?seed=-4&length=1&temperature=9&count=1000&at=5000": { Seed: "0", "Symbols to write": "10" },
      "unrolled?temperature=-1&truncate=0&unit=-3": { Temperature: "0" },
    };
    for (const [hash, fields] of Object.entries(asked)) {
      const page = await open(`#${hash}&model=tanh-twin`);
      assert.deepEqual(await page.locator(".problem:visible").allTextContents(), [], hash);
      for (const [label, value] of Object.entries(fields)) {
        const field = page.getByLabel(new RegExp("^" + label)).and(page.locator("main input"));
        assert.equal(await field.inputValue(), value, `${hash}: ${label}`);
      }
      await close(page);
    }
  },

  async whatIsRefusedIsSaidAndNotWaitedFor() {
    const page = await open("#unrolled?model=tanh-twin&text=abc&at=999");
    assert.equal(await page.locator(".problem:visible").count(), 1);
    page.complaints = page.complaints.filter((complaint) => !complaint.includes("400"));
    await close(page);
  },

  async keysAloneAreEnough() {
    const page = await open("#unrolled?model=lstm-twin");
    await press(page, "Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
    await press(page, "Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    for (const [i, view] of VIEWS.entries()) {
      await press(page, String(i + 1));
      assert.ok((await page.evaluate(() => location.hash)).startsWith("#" + view), view);
    }
    await press(page, "1");
    const steps = await page.locator("svg g.column").count();
    await press(page, "ArrowLeft", "ArrowLeft");
    assert.match(await page.locator(".step h2").textContent(), new RegExp(`^Step ${steps - 3}:`));
    await press(page, "u");
    assert.equal(await page.locator("svg.rolled").count(), 1);
    await press(page, "u");
    await tabTo(page, "input[type=range]");
    await press(page, "Home");
    await page.waitForFunction(() => location.hash.includes("truncate=1"));
    await press(page, "Escape", "2");
    await tabTo(page, ".symbols");
    await press(page, "ArrowRight", "ArrowRight");
    await tabTo(page, "button.alternative");
    const before = await page.locator(".symbols .given").textContent();
    await press(page, "Enter");
    assert.notEqual(await page.locator(".symbols .given").textContent(), before);
    await press(page, "Escape", "3");
    await tabTo(page, ".symbols");
    await press(page, "ArrowRight");
    assert.ok(await page.locator(".details h2").isVisible());
    await press(page, "5");
    await tabTo(page, "select:not(#model)");
    await press(page, "ArrowDown");
    await tabTo(page, ".found button");
    await press(page, "Enter");
    await page.waitForFunction(() => /unit=\d+/.test(location.hash));
    await close(page);
  },

  async nothingOfATextOrAVocabularyIsMarkup() {
    const hash = (view, text) => `#${view}?${new URLSearchParams({ model: "hostile", text })}`;
    const page = await open("");
    for (const view of ["unrolled", "write", "read", "gradients", "neurons"]) {
      await page.goto(url + hash(view, expected.hostile));
      await complete(page);
      assert.deepEqual(await page.locator(".problem:visible").allTextContents(), [], view);
      assert.equal(await page.locator("img, script:not([src])").count(), 0, view);
      assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
    }
    await page.goto(url + hash("read", expected.hebrew));
    await complete(page);
    const directions = await page
      .locator(".symbols p, textarea")
      .evaluateAll((found) =>
        found.filter((part) => part.checkVisibility()).map((part) => getComputedStyle(part).direction),
      );
    assert.deepEqual([...new Set(directions)], ["rtl"]);
    await close(page);
  },

  async aLinkReproducesTheView() {
    const page = await open("#unrolled?model=lstm-twin");
    await type(page, "Your sentence", "and he said");
    await press(page, "Escape", "ArrowLeft", "ArrowLeft");
    await page.waitForTimeout(200); // as the page waits before it changes the address
    const seen = (shown) =>
      shown.locator("main figure.picture svg").evaluateAll((all) => all.map((svg) => svg.textContent));
    const again = await open(await page.evaluate(() => location.hash));
    assert.deepEqual(await seen(again), await seen(page));
    assert.equal(await again.getByLabel("Your sentence").inputValue(), "and he said");
    await close(page);
    await close(again);
  },

  async picturesAreSaved() {
    const page = await open("#unrolled?model=tanh-twin&text=abc");
    const saved = async (name) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name }).first().click(),
      ]);
      return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
    };
    const svg = await saved("Save SVG");
    assert.equal(svg.name, "unrolled.svg");
    assert.match(svg.text, /^<svg[^]*<style>[^]*<\/svg>\s*$/);
    const csv = await saved("Save CSV");
    const { columns, rows } = await table(page, "The network unrolled over the sentence");
    assert.equal(csv.text.split("\r\n")[0].split(",").length, columns.length);
    assert.equal(csv.text.trimEnd().split("\r\n").length, rows.length + 1);
    await close(page);
  },

  async aModelThatDoesNotFitIsSaidSo() {
    const page = await open("#write?model=reviews");
    assert.match(await page.locator(".notice").textContent(), /reviews is a classifier/);
    await page.locator(".notice button").first().click();
    await complete(page);
    assert.equal(await page.locator(".symbols").isVisible(), true);
    await close(page);
  },

  async aTourLeadsThroughThePage() {
    const page = await open("#unrolled?tour=1");
    const words = () => page.locator(".tour .words").textContent();
    const first = await words();
    await page.locator(".tour button.primary").click();
    await complete(page);
    assert.notEqual(await words(), first);
    assert.match(await page.evaluate(() => location.hash), /tour=1&stop=2/);
    await page.getByRole("button", { name: "End the tour" }).click();
    assert.equal(await page.locator(".tour").isVisible(), false);
    await close(page);
  },

  async aKeyIsAskedForOnce() {
    const page = await open("", { knowsKey: false });
    await page.getByLabel(/^Key/).fill(key);
    await page.keyboard.press("Enter");
    await complete(page);
    assert.ok(await page.locator("figure.picture svg").first().isVisible());
    await page.reload();
    await complete(page);
    assert.ok(await page.locator("figure.picture svg").first().isVisible());
    page.complaints = page.complaints.filter((complaint) => !complaint.includes("401"));
    await close(page);
  },
});
