// A helper that is lost, idle or in the middle of a batch, costs time and nothing else.
import { type Worker, Worker as WorkerClass } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { helperTasks } from "../../bindings/background.js";
import { arange, configure, data, matmul, memory, parallel, randn, scope, type Tensor } from "../../ts-src/index.js";

const started: Worker[] = [];
const builtins = process as unknown as { getBuiltinModule(name: string): { Worker: typeof WorkerClass } };
builtins.getBuiltinModule("node:worker_threads").Worker = class extends WorkerClass {
  constructor(...args: ConstructorParameters<typeof WorkerClass>) {
    super(...args);
    started.push(this);
  }
};

const SIZE = 512;
const w = randn([SIZE, SIZE]).div(SIZE ** 0.5);
const rows = arange(SIZE * 8).reshape([8, SIZE]);
/** Batches that take 10 ms or more to make. */
const set: data.Dataset = {
  length: 8,
  take: (index) =>
    scope(() => {
      let y = new data.TensorDataset(rows, rows).take(index)[0];
      for (let i = 0; i < 400; i++) y = matmul(y, w).tanh();
      return [y, index.clone()];
    }),
};
const options = { batchSize: 2, shuffle: true };
const bits = (batches: readonly Tensor[]): string => batches.map((t) => Buffer.from(t.data().buffer).toString("base64")).join(" ");
const pause = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number): void => void Atomics.wait(pause, 0, 0, ms);

async function startHelper(): Promise<void> {
  const before = helperTasks();
  for (const end = performance.now() + 20_000; helperTasks() === before; ) {
    assert.ok(performance.now() < end, "no helper within 20 s");
    for (const _ of new data.DataLoader(new data.TensorDataset(rows, rows), { prefetch: 1 })) sleep(2);
    // the end of the one before is heard of between two turns of the event loop
    await new Promise(setImmediate);
  }
}

configure({ threads: 2 });
const expected = Array.from(new data.DataLoader(set, options), bits);

test("a helper that ends while it waits is replaced", async () => {
  await startHelper();
  const before = started.length;
  await started[before - 1].terminate();
  assert.equal(Array.from(new data.DataLoader(set, { ...options, prefetch: 2 }), bits), expected);
  await startHelper();
  assert.is(started.length, before + 1);
});

test("a batch whose helper ends in it is done over, bit for bit, and no memory is lost", async () => {
  await startHelper();
  const worker = started[started.length - 1];
  let tensors = 0;
  let ended = false;
  for (let round = 0; round < 50 && !ended; round++) {
    const seen: string[] = [];
    const before = helperTasks();
    for (const batch of new data.DataLoader(set, { ...options, prefetch: 2 })) {
      if (seen.length === 0) {
        // the helper may have begun the job of this batch too, which is done
        const now = helperTasks();
        for (let i = 0; i < 20 && helperTasks() === now && now < before + 2; i++) sleep(1);
        ended = round > 0 && helperTasks() > Math.min(now, before + 1);
        if (ended) void worker.terminate();
      }
      seen.push(bits(batch));
    }
    assert.equal(seen, expected);
    if (round === 0) tensors = memory.stats().tensors;
    else assert.is(memory.stats().tensors, tensors + 4 * round); // each loader holds its last two batches
  }
  assert.ok(ended, "no helper had begun a batch");
  const count = started.length;
  await startHelper();
  assert.is(started.length, count + 1);
});

test("lost three times the helper is given up with one line, until threads are set", async () => {
  const lines: string[] = [];
  const { warn } = console;
  console.warn = (line: string) => lines.push(line);
  try {
    configure({ threads: 2 });
    for (let i = 1; i <= 3; i++) {
      await startHelper();
      assert.equal(lines, []);
      await started[started.length - 1].terminate();
      // the loss is noticed by the next batch that is assembled ahead
      assert.equal(Array.from(new data.DataLoader(set, { ...options, prefetch: 2 }), bits), expected);
      await new Promise(setImmediate);
    }
    assert.is(lines.length, 1);
    assert.match(lines[0], /^tapir: no batches ahead: the helper thread was lost 3 times; batches are the same$/);
    const count = started.length;
    assert.equal(Array.from(new data.DataLoader(set, { ...options, prefetch: 2 }), bits), expected);
    assert.is(started.length, count);
    assert.is(lines.length, 1);
    configure({ threads: 2 });
    await startHelper();
    assert.is(started.length, count + 1);
  } finally {
    console.warn = warn;
  }
});

test("parallel.dispose() ends the helper, and the next loader starts another", async () => {
  await startHelper();
  const worker = started[started.length - 1];
  parallel.dispose();
  for (const end = performance.now() + 20_000; worker.threadId !== -1; await new Promise((resolve) => setTimeout(resolve, 5)))
    assert.ok(performance.now() < end, "the helper did not end within 20 s");
  const count = started.length;
  await startHelper();
  assert.is(started.length, count + 1);
});

test.run();
