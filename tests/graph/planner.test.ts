// checkpoint(graph, { budgetBytes }): never above the budget, the same bits, and near what is known to be possible on chains.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { checkpoint, compile, configure, grad, tensor, trace } = tapir;
type T = tapir.Tensor;

/** Bytes that a kernel of the chains below packs an operand into, which stats() does not count. */
const SCRATCH = 24 * 1024;

function wave(shape: readonly number[], phase: number, scale = 1): T {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => scale * Math.sin(phase + 0.7 * i + 0.01 * i * i))).reshape([...shape]);
}

/** The derivative of a chain of linear layers with tanh. */
function chain(depth: number, width: number, batch: number): { graph: tapir.Graph; x: T; layerBytes: number } {
  const weights = Array.from({ length: depth }, (_, i) => wave([width, width], i, 1.4 / Math.sqrt(width)));
  const f = (x: T): T => weights.reduce((y, w) => y.matmul(w).tanh(), x).square().sum(); // biome-ignore format: one chain
  const x = wave([batch, width], 1);
  return { graph: trace((t: T) => grad(f)(t), x), x, layerBytes: 4 * batch * width };
}

function bits(value: tapir.Tree): string {
  return Buffer.from((value as T).data().buffer).toString("hex");
}

/** Products that a graph computes. */
function products(graph: tapir.Graph): number {
  return graph.nodes.filter(({ name }) => name.startsWith("matmul")).length;
}

test("a chain fits every budget from a tenth of its peak on, in the graph and in the compiled plan, with the same bits", () => {
  // with more, each part of an op has scratch memory of its own, and what is worth a cut is measured
  configure({ threads: 1 });
  const { graph, x } = chain(100, 64, 64);
  const expected = bits(graph.run(x));
  const whole = graph.stats().peakBytes;
  for (const share of [0.9, 0.5, 0.25, 0.1]) {
    const planned = checkpoint(graph, { budgetBytes: share * whole });
    assert.ok(planned.stats().peakBytes <= share * whole, `${planned.stats().peakBytes} of ${share * whole} bytes`);
    const call = compile(planned);
    assert.is(bits(call(x) as T), expected);
    assert.ok(call.stats().planBytes <= 1.03 * share * whole + SCRATCH, `${call.stats().planBytes} of ${share * whole} bytes`);
    call.dispose();
  }
});

test("1,000 layers come within 8 % of storing all for less than one more forward pass, and within 2 sqrt(n) layers too", () => {
  const { graph, layerBytes } = chain(1000, 8, 8);
  const before = products(graph);
  const whole = graph.stats().peakBytes;
  for (const budgetBytes of [0.08 * whole, 2 * Math.sqrt(1000) * layerBytes]) {
    const planned = checkpoint(graph, { budgetBytes });
    assert.ok(planned.stats().peakBytes <= budgetBytes);
    assert.ok(products(planned) - before < 1000, `${products(planned) - before} products again`);
  }
});

test("what a larger budget computes again is not more, and with the whole peak nothing", () => {
  const { graph } = chain(100, 8, 8);
  const whole = graph.stats().peakBytes;
  const least = products(checkpoint(graph, { budgetBytes: whole }));
  const again = [0.1, 0.3, 0.6, 0.9, 1].map((share) => products(checkpoint(graph, { budgetBytes: share * whole })) - least);
  for (let i = 1; i < again.length; i++) assert.ok(again[i] <= again[i - 1], `${again}`);
  assert.ok(again[0] > 0 && least < 300);
  // a tenth of the values needs no longer be kept, so about a tenth of the layers is computed again
  assert.ok(again[3] <= 12, `${again}`);
});

test("10,000 nodes are planned in seconds", () => {
  const { graph } = chain(1700, 8, 8);
  assert.ok(graph.nodes.length > 10_000);
  const planned = checkpoint(graph, { budgetBytes: 0.05 * graph.stats().peakBytes });
  assert.ok(planned.stats().peakBytes <= 0.05 * graph.stats().peakBytes);
});

test("random graphs never exceed a budget that is granted, and keep their bits", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  let granted = 0;
  for (let round = 0; round < 40; round++) {
    const w = wave([6, 6], round, 0.4);
    const build = (x: T): T => {
      const values = [x];
      const pick = (): T => values[Math.max(0, values.length - 1 - random(random(4) === 0 ? values.length : 3))];
      for (let i = 0; i < 12 + random(30); i++) {
        const a = pick();
        const made = [() => a.matmul(w), () => a.tanh(), () => a.mul(pick()), () => a.add(pick()), () => a.transpose().reshape([6, 6]), () => a.relu(), () => a.sum({ axis: 0, keepdims: true }).add(a)]; // biome-ignore format: one list
        values.push(made[random(made.length)]());
      }
      return values.slice(-3).reduce((a, b) => a.add(b)).tanh().sum(); // biome-ignore format: one chain
    };
    const start = state;
    const x = wave([6, 6], 3 * round);
    const graph = trace((t: T) => {
      state = start;
      return grad(build)(t);
    }, x);
    const expected = bits(graph.run(x));
    const whole = graph.stats().peakBytes;
    for (const share of [0.9, 0.7, 0.5, 0.3]) {
      let planned: tapir.Graph;
      try {
        planned = checkpoint(graph, { budgetBytes: share * whole });
      } catch (error) {
        assert.instance(error, tapir.ConfigError, `seed ${seed}: ${error}`);
        const least = Number(/budgetBytes of (\d+)/.exec((error as Error).message)?.[1]);
        assert.ok(least > share * whole && least <= whole, `seed ${seed}: ${error}`);
        planned = checkpoint(graph, { budgetBytes: least });
        assert.ok(planned.stats().peakBytes <= least, `seed ${seed}, round ${round}: ${planned.stats().peakBytes} of ${least}`);
        continue;
      }
      granted++;
      assert.ok(planned.stats().peakBytes <= share * whole, `seed ${seed}, round ${round}`);
      assert.is(bits(planned.run(x)), expected, `seed ${seed}, round ${round}, share ${share}`);
      assert.is(bits(compile(planned)(x) as T), expected, `seed ${seed}, round ${round}, share ${share}, compiled`);
    }
  }
  assert.ok(granted > 40, `seed ${seed}: ${granted} budgets granted`);
});

test("a whole training step within a budget gives the weights of the step without one, dropout and the optimizer included", () => {
  const runs = [1, 0.6].map((share) => {
    tapir.manualSeed(1);
    const weights = Array.from({ length: 24 }, (_, i) => {
      const w = wave([16, 16], i, 0.3);
      w.requiresGrad = true;
      return w;
    });
    const optimizer = new tapir.optim.Adam(weights, { lr: 0.01 });
    const x = wave([128, 16], 2);
    const graph = trace((t: T) => {
      optimizer.zeroGrad();
      const loss = weights.reduce((y, w) => tapir.dropout(y.matmul(w).tanh(), { p: 0.1 }), t).square().mean(); // biome-ignore format: one chain
      loss.backward();
      optimizer.step();
      return loss;
    }, x);
    const budgetBytes = share * graph.stats().peakBytes;
    const planned = checkpoint(graph, { budgetBytes });
    assert.ok(planned.stats().peakBytes <= budgetBytes);
    const step = compile(planned);
    tapir.manualSeed(2);
    const losses = Array.from({ length: 4 }, () => (step(x) as T).item());
    return { nodes: planned.nodes.length, losses, weights: weights.map(bits) };
  });
  assert.ok(runs[1].nodes > runs[0].nodes);
  assert.equal(runs[1].losses, runs[0].losses);
  assert.equal(runs[1].weights, runs[0].weights);
});

test("what was made of a weight is not computed again behind a change of the weight", () => {
  const w = wave([64], 1);
  w.requiresGrad = true;
  const optimizer = new tapir.optim.SGD([w], { lr: 1 });
  const x = wave([64], 2);
  const step = (t: T): T => {
    const early = w.mul(t).tanh();
    const square = early.square();
    w.mul(t).sum().backward();
    optimizer.step();
    // between: a peak that early and square would leave if they could
    const large = tapir.noGrad(() => t.reshape([64, 1]).mul(t).exp().sum({ axis: 0 }));
    return square.add(early).add(large).sum();
  };
  const graph = trace(step, x);
  const whole = graph.stats().peakBytes;
  const start = w.data();
  const expected = (graph.run(x) as T).item();
  let planned = graph;
  try {
    planned = checkpoint(graph, { budgetBytes: whole - 256 });
  } catch (error) {
    assert.instance(error, tapir.ConfigError);
  }
  tapir.noGrad(() => w.copy_(tensor(start)));
  assert.is((planned.run(x) as T).item(), expected);
});

test("a budget that cannot be met is an error that names the node at the peak and the least that can be, which is granted", () => {
  const { graph } = chain(40, 8, 8);
  for (const budgetBytes of [0, 100, 600]) {
    assertThrows(
      () => checkpoint(graph, { budgetBytes }),
      tapir.ConfigError,
      /budgetBytes of \d+ or more, the least found, held at \w+ float32 \[8,8\]; got \d+; raise/,
    );
  }
  try {
    checkpoint(graph, { budgetBytes: 0 });
  } catch (error) {
    const least = Number(/budgetBytes of (\d+)/.exec((error as Error).message)?.[1]);
    assert.ok(checkpoint(graph, { budgetBytes: least }).stats().peakBytes <= least);
  }
});

test("a budget that is no number, or negative, or options without a graph are typed errors", () => {
  const { graph } = chain(3, 4, 4);
  for (const budgetBytes of [-1, Number.NaN, "1 MiB", undefined, null]) {
    assertThrows(
      () => checkpoint(graph, { budgetBytes: budgetBytes as number }),
      tapir.ConfigError,
      /expected \{ budgetBytes \}, a number of bytes from 0; got/,
    );
  }
  assertThrows(() => checkpoint(graph, undefined as unknown as { budgetBytes: number }), tapir.ConfigError, /budgetBytes/);
  assertThrows(() => checkpoint(graph, { bytes: 3 } as unknown as { budgetBytes: number }), tapir.ConfigError, /expected options budgetBytes; got bytes/);
  assertThrows(
    () => (checkpoint as unknown as (f: unknown, o: unknown) => unknown)((x: T) => x, { budgetBytes: 1 }),
    tapir.ConfigError,
    /options with a graph/,
  );
  assertThrows(() => (checkpoint as unknown as (f: unknown) => unknown)(3), tapir.ConfigError, /expected a function/);
});

test.run();
