// npm's openai as it is, asking a server of ours: node openai_client.mjs URL
//
// The server has the model "char", the key "secret", one place for texts and one for waiting ones, and 2 s for a
// request. Exits with an AssertionError where the client is not answered as it is by OpenAI's own servers.
import assert from "node:assert/strict";
import OpenAI from "openai";

const baseURL = process.argv[2] + "/v1";
const LONG = 1_500_000; // symbols, which nothing waits for
const calls = []; // {status, at} of each request that the client makes

async function countingFetch(url, options) {
  const response = await fetch(url, options);
  calls.push({ status: response.status, at: performance.now() });
  return response;
}

const client = new OpenAI({ apiKey: "secret", baseURL, fetch: countingFetch });
const asked = { model: "char", prompt: "the cat", max_tokens: 12, seed: 3, temperature: 0.9, logprobs: 2, echo: true };
const messages = [{ role: "system", content: "the cat" }, { role: "user", content: "sees" }];

async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("a request was not refused");
}

async function metric(name) {
  const answer = await fetch(process.argv[2] + "/metrics", { headers: { Authorization: "Bearer secret" } });
  const lines = (await answer.text()).split("\n").filter((line) => line.split("{")[0] === name);
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

async function untilNothingIsWritten() {
  while ((await metric("unroll_texts_writing")) + (await metric("unroll_texts_waiting")) > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const tests = {
  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.deepEqual(ids, ["char"]);
    assert.equal((await client.models.retrieve("char")).object, "model");
  },

  async completions() {
    const { data, response, request_id } = await client.completions.create(asked).withResponse();
    assert.equal(request_id, response.headers.get("x-request-id"));
    assert.equal(data.id, "cmpl-" + request_id);
    const choice = data.choices[0];
    assert.equal(choice.logprobs.tokens.join(""), choice.text);
    assert.equal(choice.logprobs.token_logprobs.length, 7 + 12);
    assert.equal(choice.logprobs.token_logprobs[0], null);
    assert.deepEqual(data.usage, { prompt_tokens: 7, completion_tokens: 12, total_tokens: 19 });
  },

  async streams() {
    const whole = await client.completions.create(asked);
    const stream = await client.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } });
    let text = "";
    let usage;
    const reasons = [];
    for await (const part of stream) {
      for (const choice of part.choices) {
        text += choice.text;
        reasons.push(choice.finish_reason);
      }
      usage = part.usage;
    }
    assert.equal(text, whole.choices[0].text);
    assert.deepEqual(usage, whole.usage);
    assert.equal(reasons.at(-1), "length");
    assert.ok(reasons.length > 2);
  },

  async messages() {
    const fields = { model: "char", messages, max_completion_tokens: 9, seed: 4 };
    const whole = await client.chat.completions.create(fields);
    const plain = await client.completions.create({ model: "char", prompt: "the cat\nsees", max_tokens: 9, seed: 4 });
    assert.equal(whole.choices[0].message.content, plain.choices[0].text);
    assert.equal(whole.choices[0].message.role, "assistant");
    // The client's own helper puts the parts of a stream together.
    const final = await client.chat.completions.stream(fields).finalChatCompletion();
    assert.equal(final.choices[0].message.content, plain.choices[0].text);
    assert.equal(final.choices[0].finish_reason, "length");
  },

  async aborts() {
    const left = await client.completions.create({ ...asked, max_tokens: LONG, echo: false, stream: true });
    let parts = 0;
    for await (const part of left) {
      assert.equal(part.object, "text_completion");
      if (++parts === 3) break; // which aborts the request
    }
    assert.ok(left.controller.signal.aborted);
    await untilNothingIsWritten();
    const control = new AbortController();
    const answer = client.completions.create({ ...asked, max_tokens: LONG }, { signal: control.signal });
    setTimeout(() => control.abort(), 50);
    assert.ok((await rejection(answer)) instanceof OpenAI.APIUserAbortError);
    await untilNothingIsWritten();
  },

  async errors() {
    const wrong = await rejection(client.completions.create({ ...asked, n: "three" }));
    assert.ok(wrong instanceof OpenAI.BadRequestError);
    assert.deepEqual([wrong.status, wrong.param, wrong.type], [400, "n", "invalid_request_error"]);
    assert.match(wrong.message, /`n` is "three"/);
    assert.ok(wrong.requestID);
    const missing = await rejection(client.completions.create({ ...asked, model: "gpt" }));
    assert.ok(missing instanceof OpenAI.NotFoundError);
    assert.equal(missing.code, "model_not_found");
    const stranger = new OpenAI({ apiKey: "guess", baseURL });
    assert.ok((await rejection(stranger.models.list())) instanceof OpenAI.AuthenticationError);
    assert.ok((await rejection(client.embeddings.create({ model: "char", input: "a" }))) instanceof OpenAI.NotFoundError);
  },

  async retries() {
    const long = { ...asked, logprobs: null, echo: false, max_tokens: LONG, stream: true };
    const occupied = [await client.completions.create(long), await client.completions.create(long)];
    while ((await metric("unroll_texts_writing")) < 1);
    const refused = await rejection(client.completions.create(asked, { maxRetries: 0 }));
    assert.ok(refused instanceof OpenAI.RateLimitError);
    assert.equal(refused.headers.get("retry-after"), "1");
    calls.length = 0;
    const retried = client.completions.create(asked);
    while (calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const stream of occupied) stream.controller.abort();
    assert.equal((await retried).choices[0].finish_reason, "length");
    assert.deepEqual(calls.map((call) => call.status), [429, 200]);
    assert.ok(calls[1].at - calls[0].at > 900, "after the time that the answer named");
  },

  async timeLimits() {
    calls.length = 0;
    const late = await rejection(client.completions.create({ ...asked, logprobs: null, max_tokens: LONG }));
    assert.ok(late instanceof OpenAI.InternalServerError);
    assert.deepEqual([late.status, late.code], [503, "time_limit"]);
    assert.equal(calls.length, 1); // another try would take as long
    const stream = await client.completions.create({ ...asked, logprobs: null, max_tokens: LONG, stream: true });
    const broken = await rejection((async () => {
      for await (const part of stream) assert.equal(part.choices.length, 1);
    })());
    assert.ok(broken instanceof OpenAI.APIError);
    assert.equal(broken.code, "time_limit");
  },
};

for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
  } catch (error) {
    console.error(`${name}:`);
    throw error;
  }
}
