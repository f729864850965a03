// A browser that goes through the page, for the tests beside this file: node TESTS.mjs CHROMIUM FILE [NAME ...]
//
// FILE is JSON: the server's address, its key, and what the command says of the models there (page.py writes it).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [, , executablePath, file] = process.argv;
export const { url, key, expected } = JSON.parse(readFileSync(file, "utf8"));
export const VIEWS = ["unrolled", "write", "read", "gradients", "neurons", "learning", "answers"];
export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };
const PATIENCE = 60_000; // milliseconds
const QUIET = 80; // milliseconds without a request, after which a view is complete

export const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});

// A page at a link, complete, whose complaints become failures.
export async function open(hash, { viewport = WIDE, colorScheme = "light", knowsKey = true } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  if (knowsKey) await context.addInitScript((known) => sessionStorage.setItem("key", known), key);
  const page = await context.newPage();
  page.complaints = [];
  page.asking = new Set();
  page.on("console", (message) => page.complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => page.complaints.push(error.stack));
  page.on("request", (request) => page.asking.add(request));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => page.asking.delete(request));
  await page.goto(url + hash);
  await complete(page);
  return page;
}

// Nothing is asked of the server any more, and nothing is being drawn; or a person is asked.
export async function complete(page) {
  const began = Date.now();
  for (let since = began; Date.now() - since < QUIET;) {
    await new Promise((resolve) => setTimeout(resolve, QUIET / 4));
    const asksPerson = (await page.locator("dialog[open]").count()) > 0;
    const busy = asksPerson ? 0 : await page.locator("[aria-busy=true]").count();
    if (page.asking.size > 0 || busy > 0) since = Date.now();
    const asked = [...page.asking].map((request) => [request.url(), request.postData()]);
    assert.ok(
      Date.now() - began < PATIENCE,
      `a view does not come to rest: ${busy} busy, asks ${JSON.stringify(asked)}`,
    );
  }
}

export async function close(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

export async function press(page, ...keys) {
  for (const name of keys) await page.keyboard.press(name);
  await complete(page);
}

// Goes on with Tab until an element that matches has the focus.
export async function tabTo(page, selector) {
  for (let tries = 0; tries < 150; ++tries) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  assert.fail(`Tab does not lead to ${selector}`);
}

export async function type(page, label, text) {
  const field = page.getByLabel(label, { exact: true });
  await field.fill(text);
  await page.waitForTimeout(350); // as the page waits for more
  await complete(page);
}

// The rows of a picture's table, as arrays of texts.
export async function table(page, title) {
  const figure = page.locator("figure.picture").filter({ has: page.getByRole("region", { name: title, exact: true }) });
  const twin = figure.locator("details");
  if (!(await twin.evaluate((details) => details.open))) await twin.locator("summary").click();
  await figure.locator("tbody tr").first().waitFor();
  await complete(page);
  const rows = (selector) =>
    figure.locator(selector).evaluateAll((found) => found.map((row) => [...row.cells].map((cell) => cell.textContent)));
  return { columns: (await rows("thead tr"))[0], rows: await rows("tbody tr") };
}

// What axe finds grave on a page, called `what` in messages; of some rules or of all.
export async function expectUsable(page, what, rules = {}) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate((only) => axe.run(document, only), {
    resultTypes: ["violations"],
    ...rules,
  });
  const grave = violations.filter(({ id, impact }) => ["serious", "critical"].includes(impact) || id === "skip-link");
  assert.deepEqual(
    grave.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]),
    [],
    what,
  );
}

// Runs the tests, or those that the command line names. Throws an AssertionError where the page does not show what it
// should.
export async function run(tests) {
  const wanted = process.argv.slice(4);
  for (const [name, test] of Object.entries(tests)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const began = Date.now();
    try {
      await test();
    } catch (error) {
      console.error(`${name}:`);
      throw error;
    }
    if (wanted.length > 0) console.error(`${name}: ${Date.now() - began} ms`);
  }
  await browser.close();
}
