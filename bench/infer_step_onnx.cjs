// A network that is only run, timed on request: the side of the sections `scoring` and `one_token` that is ONNX
// Runtime.
//
//   infer_step_onnx.cjs MODEL.onnx IDS.bin B T THREADS    both files are infer_step_onnx.py's
//
// Prints and answers as infer_step.cc does.
'use strict';

const fs = require('fs');
const readline = require('readline');
const {Tensor} = require('onnxruntime-node');
// The synchronous session under the public one, whose run() waits for a turn of the event loop first.
const {binding, initOrt} = require('onnxruntime-node/dist/binding');

const COMPARED_NUMBERS = 4000;  // infer_step.cc has the same number

class InferenceSteps {
  constructor(path, ids, B, T, threads) {
    initOrt();
    this.session = new binding.InferenceSession();
    this.session.loadModel(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableCpuMemArena: true,
      enableMemPattern: true,
      extra: {session: {set_denormal_as_zero: '1', intra_op: {allow_spinning: '1'}}},
    });
    this.isOneSymbol = B * T === 1;
    const rows = B * T;
    this.windows = [];
    for (let first = 0; first + rows + B <= ids.length; first += rows) {
      this.windows.push({
        ids: new Tensor('int32', ids.slice(first, first + rows), [T, B]),
        targets: new Tensor('int32', ids.slice(first + B, first + B + rows), [rows, 1]),
      });
    }
    // Outputs have their memory from the start. The two halves of the state take turns: one is read, one is written.
    const shapes = new Map(this.session.outputMetadata.map(({name, shape}) => [name, shape]));
    this.result = this.isOneSymbol ? 'logits' : 'log_probs';
    this.output = zeros(shapes.get(this.result));
    const names = [...shapes.keys()].filter(name => name.startsWith('next_'));
    const halves = [0, 1].map(() => new Map(names.map(name => [name, zeros(shapes.get(name))])));
    this.turns = [0, 1].map(turn => ({
      feeds: Object.fromEntries(names.map(name => [name.slice('next_'.length), halves[turn].get(name)])),
      fetches: Object.fromEntries(names.map(name => [name, halves[1 - turn].get(name)])),
    }));
    this.turn = 0;
    for (const turn of this.turns) turn.fetches[this.result] = this.output;
  }

  step(number) {
    const {feeds, fetches} = this.turns[this.turn];
    const window = this.windows[number % this.windows.length];
    feeds.ids = window.ids;
    if (!this.isOneSymbol) feeds.targets = window.targets;
    this.session.run(feeds, fetches, {});
    this.turn = 1 - this.turn;
  }

  // A step, and the log-probabilities of its targets.
  stepToCompare(number) {
    this.step(number);
    if (!this.isOneSymbol) return Array.from(this.output.data);
    const logits = this.output.data;
    const largest = logits.reduce((a, b) => Math.max(a, b));
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    return [logits[this.windows[number % this.windows.length].targets.data[0]] - largest - Math.log(sum)];
  }
}

function zeros(shape) {
  return new Tensor('float32', new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
}

function introduce(steps, rows) {
  const compared = Math.min(Math.max(Math.floor(COMPARED_NUMBERS / rows), 2), steps.windows.length);
  const numbers = [];
  for (let number = 0; number < compared; ++number) numbers.push(...steps.stepToCompare(number));
  const version = require('onnxruntime-node/package.json').version;
  console.log(`about onnxruntime-node ${version}, node ${process.versions.node}`);
  console.log(`log_probs ${numbers.join(' ')}`);
  console.log('ready');
}

async function timeOnRequest(steps) {
  for await (const line of readline.createInterface({input: process.stdin})) {
    const wanted = Number(line) * 1e9;
    const start = process.hrtime.bigint();
    let made = 0;
    let nanoseconds = 0;
    while (nanoseconds < wanted) {
      steps.step(made++);
      nanoseconds = Number(process.hrtime.bigint() - start);
    }
    console.log(`${made} ${nanoseconds * 1e-9}`);
  }
}

async function main() {
  const [path, idsPath, ...sizes] = process.argv.slice(2);
  if (sizes.length !== 3) throw new Error('usage: infer_step_onnx.cjs MODEL.onnx IDS.bin B T THREADS');
  const [B, T, threads] = sizes.map(Number);
  const bytes = fs.readFileSync(idsPath);
  const ids = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const steps = new InferenceSteps(path, ids, B, T, threads);
  introduce(steps, B * T);
  await timeOnRequest(steps);
}

main().catch(error => {
  console.error(`infer_step_onnx: ${error.message}`);
  process.exit(1);
});
