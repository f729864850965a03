// What the page does where something is wrong, slow, or cannot be seen: node trouble.mjs CHROMIUM FILE [NAME ...], see
// browser.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PHONE, WIDE, close, complete, expected, key, open, press, run, tabTo, url } from "./browser.mjs";

const focused = (page) =>
  page.evaluate(() => [document.activeElement.localName, document.activeElement.textContent.trim()]);

async function asksTheServer(path, body) {
  const headers = { Authorization: `Bearer ${key}` };
  return (await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

function ignore(page, ...words) {
  page.complaints = page.complaints.filter((complaint) => !words.some((word) => complaint.includes(word)));
}

await run({
  async namesThatObjectsInheritAreNoViews() {
    for (const name of ["__proto__", "constructor", "toString"]) {
      const page = await open(`#${name}`);
      assert.equal(await page.locator("h1").textContent(), "Unrolled", name);
      await close(page);
    }
  },

  async numbersOfALinkBecomeTheNearestThatAreTaken() {
    const page = await open("#gradients?model=tanh-twin&radius=1e999&lags=-1e999&tour=3&stop=1.4");
    assert.equal(await page.getByLabel(/^Radius of W/).inputValue(), "2.5");
    assert.equal(await page.getByLabel(/^Steps back/).inputValue(), "5");
    assert.equal(await page.locator(".tour .note").textContent(), "1 of 6");
    await page.goto(url + "#unrolled?model=tanh-twin&text=abc&tour=99");
    await complete(page);
    assert.match(await page.locator(".tour h2").textContent(), /^5[.]/);
    const asked = page.waitForRequest((request) => request.url().endsWith("v1/draw"));
    await page.goto(url + "#unrolled?model=tanh-twin&text=abc&at=1e300");
    assert.ok(JSON.parse((await asked).postData()).at <= 2 ** 24);
    await complete(page);
    ignore(page, "400");
    await close(page);
  },

  async whatANumberFieldCannotTakeBecomesTheNearestThatItCan() {
    const page = await open("#write?model=tanh-twin&seed=7&length=10");
    for (const [label, typed, taken] of [
      ["Seed", "-3", "0"],
      ["Seed", "1.5", "2"],
      ["Seed", "", "2"],
      ["Top-k (0: all)", "3000", "1000"],
    ]) {
      const field = page.getByLabel(label, { exact: true });
      await field.fill(typed);
      await field.blur();
      await complete(page);
      assert.equal(await field.inputValue(), taken, `${label}: ${typed}`);
    }
    await page.waitForFunction(() => /seed=2&.*top_k=1000/.test(location.hash));
    await close(page);
  },

  async theWayBackChangesAFieldThatHasTheFocus() {
    const page = await open("#unrolled?model=tanh-twin&text=first");
    await page.goto(url + "#unrolled?model=tanh-twin&text=second");
    await complete(page);
    await page.getByLabel("Your sentence").focus();
    await page.goBack();
    await complete(page);
    assert.equal(await page.getByLabel("Your sentence").inputValue(), "first");
    await close(page);
  },

  async aFieldKeepsTheLinesOfAText() {
    const page = await open("#unrolled?model=tanh-twin&text=ab%0Acd");
    const field = page.getByLabel("Your sentence");
    assert.equal(await field.inputValue(), "ab\ncd");
    await field.focus();
    await press(page, "Control+End", "e", "Enter");
    await page.waitForFunction(() => location.hash.endsWith("text=ab%0Acde"));
    await close(page);
  },

  async picturesAreSavedAsTheServerWritesThemWithoutAskingIt() {
    const asked = { picture: "unrolled", model: "tanh-twin", text: "abc", standalone: true };
    const { svg } = await asksTheServer("v1/draw", asked);
    const page = await open("#unrolled?model=tanh-twin&text=abc");
    await page.route("**/*", (route) => route.abort());
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save SVG" }).first().click(),
    ]);
    assert.equal(readFileSync(await download.path(), "utf8"), svg);
    assert.equal(await page.locator("main figure.picture svg").first().isVisible(), true);
    await close(page);
  },

  async aWrongKeyIsSaidToBeWrongAndAskedForAgain() {
    const page = await open("", { knowsKey: false });
    for (const wrong of ["wrong", "Schlüssel – 鍵"]) {
      await page.getByLabel(/^Key/).fill(wrong);
      await page.keyboard.press("Enter");
      await page.locator("dialog .problem").waitFor();
      assert.equal(await page.locator("dialog .problem").textContent(), "The key that was given is wrong.");
      assert.equal(await page.getByLabel(/^Key/).inputValue(), "");
    }
    await page.getByLabel(/^Key/).fill(key);
    await page.keyboard.press("Enter");
    await complete(page);
    assert.ok(await page.locator("figure.picture svg").first().isVisible());
    ignore(page, "401");
    await close(page);
  },

  async aViewStandsThereBeforeASlowServerAnswers() {
    const page = await open("#unrolled?model=tanh-twin&text=abc");
    await page.route("**/v1/completions", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 2000));
      await route.continue();
    });
    await page.goto(url + "#neurons?model=hostile");
    await page.getByLabel("Unit", { exact: true }).waitFor({ timeout: 500 });
    assert.equal(await page.getByLabel("Your sentence").count(), 0);
    assert.equal(await page.locator(".waiting:visible").count(), 0);
    await page.locator(".waiting").waitFor({ timeout: 1500 });
    await complete(page);
    assert.equal(await page.locator(".waiting:visible, [inert]").count(), 0);
    await close(page);
  },

  async modelsThatWereReplacedAreSeen() {
    const page = await open("#unrolled?text=abc");
    const options = () => page.locator("#model option").evaluateAll((all) => all.map(({ value }) => value));
    assert.ok((await options()).includes("tagger"));
    await page.route("**/v1/models*", async (route) => {
      const answer = await route.fetch();
      const { data, ...rest } = await answer.json();
      await route.fulfill({ response: answer, json: { ...rest, data: data.filter(({ id }) => id !== "tagger") } });
    });
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.waitForFunction(() => !document.querySelector("#model option[value=tagger]"));
    await complete(page);
    await close(page);
  },

  async theFocusStaysNearWhatIsDrawnAnew() {
    const page = await open("#neurons?model=lstm-twin&feature=line");
    await tabTo(page, ".found button");
    const [, unit] = await focused(page);
    await press(page, "Enter");
    assert.deepEqual(await focused(page), ["button", unit]);
    await page.goto(url + "#write?model=tanh-twin&length=20");
    await complete(page);
    await tabTo(page, "button.alternative");
    await press(page, "Enter");
    assert.equal(await page.evaluate(() => document.activeElement.className), "symbols");
    await page.goto(url + "#write?model=reviews");
    await complete(page);
    await tabTo(page, ".notice button");
    await press(page, "Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await close(page);
  },

  async whatChangesIsSaidToAScreenReader() {
    const page = await open("#read?model=tanh-twin&text=abc");
    const text = page.locator(".symbols").first();
    assert.equal(await text.getAttribute("role"), "application");
    await text.focus();
    const details = page.locator(".details[aria-live=polite]");
    await press(page, "ArrowRight");
    const said = await details.locator("h2").textContent();
    await press(page, "ArrowRight");
    assert.notEqual(await details.locator("h2").textContent(), said);
    const status = () => page.locator("body > [role=status]").textContent();
    await page.goto(url + "#gradients?model=tanh-twin&text=abcdefgh");
    await complete(page);
    const before = await status();
    await page.getByLabel("lstm-twin").uncheck();
    await complete(page);
    assert.notEqual(await status(), before);
    assert.ok((await page.locator("figcaption").first().textContent()).startsWith((await status()).slice(0, 40)));
    await page.goto(url + "#write?model=reviews");
    await complete(page);
    assert.match(await status(), /^reviews is a classifier/);
    await page.goto(url + "#neurons?model=tanh-twin&text=abc&feature=/(/");
    await complete(page);
    const problems = await page.locator(".problem:visible").evaluateAll((all) => all.map(({ role }) => role));
    assert.deepEqual([...new Set(problems)], ["alert"]);
    ignore(page, "400");
    await close(page);
  },

  async aTourBringsIntoViewWhatItSpeaksOf() {
    for (const [viewport, chapter] of [
      [WIDE, 1],
      [PHONE, 2],
      [PHONE, 3],
      [WIDE, 4],
    ]) {
      const page = await open(`#unrolled?tour=${chapter}`, { viewport });
      const { tours } = await page.evaluate(() => import("./tours.js"));
      const { stops } = tours[chapter - 1];
      for (const [i, { look }] of stops.entries()) {
        await complete(page);
        const at = `${chapter}.${i + 1} at ${viewport.width}: ${look}`;
        const [box, tour] = await Promise.all(
          [look, ".tour"].map((selector) => page.locator(selector).first().boundingBox()),
        );
        const isBelow = tour.y + tour.height >= viewport.height - 1;
        const seen = Math.min(box.y + box.height, isBelow ? tour.y : viewport.height) - Math.max(box.y, 0);
        assert.ok(seen >= Math.min(box.height, 0.4 * viewport.height) - 1, `${at}: ${seen} of ${box.height} pixels`);
        if (i + 1 < stops.length) await page.locator(".tour button.primary").click();
      }
      await close(page);
    }
  },

  async barsOfAlternativesCanBeCompared() {
    for (const hash of ["#write?model=hostile&length=10", `#answers?model=reviews&text=${expected.review}`]) {
      const page = await open(hash);
      const boxes = await page
        .locator(".alternatives")
        .first()
        .locator(".share")
        .evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect()).map(({ x, width }) => `${x} ${width}`));
      assert.ok(boxes.length > 1, hash);
      assert.equal(new Set(boxes).size, 1, `${hash}: ${boxes}`);
      await close(page);
    }
  },

  async coloursThatStandForNumbersStayWhereColoursAreForced() {
    const page = await open("#read?model=tanh-twin&text=abc");
    await page.emulateMedia({ forcedColors: "active" });
    const colours = await page
      .locator(".scale span")
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
    assert.equal(new Set(colours).size, colours.length);
    await close(page);
  },
});
