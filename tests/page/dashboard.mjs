// A training run in a browser: node dashboard.mjs CHROMIUM FILE NAME, see browser.mjs. Each test has a run of its own, of
// which FILE says the process and the link.
import assert from "node:assert/strict";
import { close, complete, expectUsable, expected, open, run, tabTo, url } from "./browser.mjs";

const { pid, hash } = expected;
const GONE = ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"];

const heading = (page) => page.locator(".run h2").textContent();

async function closeWithoutServer(page) {
  page.complaints = page.complaints.filter((complaint) => !GONE.some((code) => complaint.includes(code)));
  await close(page);
}

async function save(page) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save SVG" }).click(),
  ]);
  return download.suggestedFilename();
}

await run({
  async aRunThatWasStoppedIsContinuedAndItsEndIsSeen() {
    const page = await open(hash);
    assert.equal(await heading(page), "Stopped");
    await tabTo(page, ".view .bar button");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Continue");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector(".run h2").textContent === "Done");
    await complete(page);
    for (;;) {
      const answers = await fetch(url).then(
        () => true,
        () => false,
      );
      if (!answers) break;
      await page.waitForTimeout(100);
    }
    await page.waitForTimeout(1500); // longer than between two questions
    assert.equal(await heading(page), "Done");
    assert.equal(await page.locator(".problem:visible").count(), 0);
    assert.equal(await page.locator("figure.picture svg").isVisible(), true);
    assert.equal(await save(page), "curves.svg");
    assert.equal(await page.locator("figure.picture svg").isVisible(), true);
    await close(page);
  },

  async aRunIsStoppedAndContinuedByItsButtonsAndItsSamplesAreText() {
    const page = await open(hash);
    assert.match(await heading(page), /^Running/);
    await page.locator(".sample blockquote").first().waitFor();
    const acts = (name, state) =>
      Promise.all([
        page.waitForFunction((wanted) => document.querySelector(".run h2").textContent.startsWith(wanted), state),
        page.getByRole("button", { name }).click(),
      ]);
    await acts(/^Stop/, "Stopped");
    await complete(page);
    const samples = await page.locator(".sample blockquote").allTextContents();
    assert.ok(samples.some((text) => /<\S/.test(text)), "no sample would be markup");
    assert.equal(await page.locator("img, script:not([src])").count(), 0);
    assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
    assert.equal(await page.locator("figure.picture svg").first().isVisible(), true);
    await expectUsable(page, "a run that is stopped");
    const steps = await page.locator(".run progress").getAttribute("value");
    await acts("Continue", "Running");
    await page.waitForFunction(
      (before) => Number(document.querySelector(".run progress").value) > Number(before),
      steps,
    );
    await expectUsable(page, "a run");
    await acts(/^Stop/, "Stopped");
    await complete(page);
    await close(page);
    process.kill(pid, "SIGKILL");
  },

  async aRunThatIsKilledIsSaidNotToAnswer() {
    const page = await open(hash);
    assert.match(await heading(page), /^Running/);
    await page.locator(".sample").nth(6).waitFor({ state: "attached" });
    assert.equal(await page.locator(".sample:visible").count(), 5);
    process.kill(pid, "SIGKILL");
    await page.getByRole("button", { name: "Ask again" }).waitFor();
    assert.equal(await heading(page), "No answer");
    assert.equal(await page.locator(".problem:visible").getAttribute("role"), "alert");
    assert.equal(await page.locator("figure.picture svg").isVisible(), true);
    assert.equal(await save(page), "curves.svg");
    await page.getByRole("button", { name: "Ask again" }).click();
    await complete(page);
    assert.equal(await heading(page), "No answer");
    await closeWithoutServer(page);
  },
});
