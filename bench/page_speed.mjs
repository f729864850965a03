// What bench/page_speed measures: node page_speed.mjs CHROMIUM URL ROUNDS SECONDS
import { chromium } from "playwright-core";

const [, , executablePath, url, rounds, seconds] = process.argv;
const CLIENTS = 8;
const WRITTEN = 512;
const TEXT = "And he said unto them, Go up by the way of the river, and see the land.\n".repeat(200).slice(0, 10_000);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function open(hash) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url + hash);
  return page;
}

async function firstPaint() {
  const page = await open("#unrolled");
  await page.locator("figure.picture svg").first().waitFor();
  const picture = await page.evaluate(() => performance.now());
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  await page.context().close();
  return { paint, picture };
}

// The longest task of the page's main thread during `work`, in milliseconds.
async function longestTask(page, work) {
  await browser.startTracing(page, {
    categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"],
  });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = traceEvents.filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain");
  const ofMain = (event) => main.some((thread) => thread.pid === event.pid && thread.tid === event.tid);
  const tasks = traceEvents.filter((event) => /RunTask$/.test(event.name) && ofMain(event));
  return Math.max(...tasks.map((event) => event.dur ?? 0)) / 1000;
}

async function tasks() {
  const page = await open("#read?model=tanh-twin&text=a");
  await page.locator(".symbols [data-i]").first().waitFor();
  const reading = await longestTask(page, async () => {
    // Not typed: what the browser's own field takes to insert a long text is not the page's.
    await page.getByLabel("Your text").evaluate((field, text) => {
      field.value = text;
      field.dispatchEvent(new Event("input"));
    }, TEXT);
    await page.waitForFunction(() => document.querySelectorAll(".symbols [data-i]").length >= 10_000);
    await page.locator(".totals tbody tr").first().waitFor();
    await pause(1500);
  });
  const stepping = await longestTask(page, async () => {
    await page.locator(".symbols").first().focus();
    for (let i = 0; i < 30; ++i) await page.keyboard.press("ArrowRight");
    await page.mouse.wheel(0, 4000);
    await pause(500);
  });
  await page.context().close();
  return { reading, stepping };
}

// Symbols per second that clients are written for some seconds.
async function load() {
  const end = performance.now() + 1000 * seconds;
  const began = performance.now();
  let symbols = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = 0; performance.now() < end; ++i) {
        const answer = await fetch(url + "v1/completions", {
          method: "POST",
          body: JSON.stringify({ model: "lstm-twin", prompt: "And ", max_tokens: WRITTEN, seed: 1000 * client + i }),
        });
        symbols += (await answer.json()).usage.completion_tokens;
      }
    }),
  );
  return (1000 * symbols) / (performance.now() - began);
}

async function beside() {
  const alone = await load();
  const page = await open("#unrolled?model=tanh-twin");
  await page.locator("figure.picture svg").first().waitFor();
  await pause(500);
  const withOpen = await load();
  let isBusy = true;
  const using = (async () => {
    for (let i = 0; isBusy; ++i) {
      await page.getByLabel("Your sentence").fill("the king said ".slice(0, 8 + (i % 6)));
      await pause(1000);
    }
  })();
  const busy = await load();
  isBusy = false;
  await using;
  await page.context().close();
  return { alone, open: withOpen, busy };
}

const seen = [];
for (let round = 0; round < rounds; ++round)
  seen.push({ ...(await firstPaint()), ...(await tasks()), ...(await beside()) });
const medians = Object.fromEntries(
  Object.keys(seen[0]).map((key) => {
    const values = seen.map((round) => round[key]).sort((a, b) => a - b);
    return [key, values[Math.floor(values.length / 2)]];
  }),
);
console.log(JSON.stringify(medians));
await browser.close();
