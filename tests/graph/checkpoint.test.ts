// checkpoint(f) in graphs: the part is computed again right before its derivative, and no pass makes that one with the original.
import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { change } from "../../bindings/trace.js";
import * as tapir from "../../ts-src/index.js";

const { checkpoint, compile, grad, gradient, tensor, trace } = tapir;
type T = tapir.Tensor;

const DEPTH = 1000;
const [BATCH, WIDTH] = [64, 64];
const layerBytes = 4 * BATCH * WIDTH;

function wave(shape: number[], phase: number, scale = 1): T {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: n }, (_, i) => scale * Math.sin(phase + 0.7 * i + 0.01 * i * i))).reshape(shape);
}

/** Linear layers with tanh; checkpointed in segments of a length, or whole. */
function chain(weights: readonly T[], segment?: number): (x: T) => T {
  const part =
    (from: number, to: number) =>
    (x: T): T => {
      let y = x;
      for (let i = from; i < to; i++) y = y.matmul(weights[i]).tanh();
      return y;
    };
  return (x) => {
    if (segment === undefined) return part(0, weights.length)(x).square().sum();
    let y = x;
    for (let i = 0; i < weights.length; i += segment) y = checkpoint(part(i, Math.min(weights.length, i + segment)))(y);
    return y.square().sum();
  };
}

/** Tells whether elements are the same bits, in few letters. */
function digest(t: T): string {
  return createHash("sha256").update(Buffer.from(t.data().buffer)).digest("hex");
}

function weightsOf(depth: number): T[] {
  return Array.from({ length: depth }, (_, i) => {
    const w = wave([WIDTH, WIDTH], i, 0.18);
    w.requiresGrad = true;
    return w;
  });
}

test("1,000 layers in segments of 32 peak at 8 % of storing all or less, in the graph and in the compiled plan, with the same bits", () => {
  const weights = weightsOf(DEPTH);
  const x = wave([BATCH, WIDTH], 1);
  const [all, segments] = [undefined, 32].map((segment) => {
    const graph = trace((t: T) => grad(chain(weights, segment))(t), x);
    const call = compile(graph);
    const dx = call(x) as T;
    const bits = digest(dx);
    assert.ok(dx.data().every((v) => v !== 0));
    const planBytes = call.stats().planBytes;
    call.dispose();
    return { bits, planBytes, peakBytes: graph.stats().peakBytes };
  });
  assert.ok(all.peakBytes > DEPTH * layerBytes);
  assert.ok(segments.peakBytes <= 0.08 * all.peakBytes, `${segments.peakBytes} of ${all.peakBytes} bytes`);
  assert.ok(segments.planBytes <= 0.08 * all.planBytes, `${segments.planBytes} of ${all.planBytes} bytes`);
  assert.is(segments.bits, all.bits);
});

test("the derivative of a traced checkpointed function is checkpointed, whether by gradient() or by running the graph under the tape", () => {
  const weights = weightsOf(64);
  const x = wave([BATCH, WIDTH], 1);
  const peak = (graph: tapir.Graph): number => compile(graph)(x) && graph.stats().peakBytes;
  const [all, segments] = [undefined, 8].map((segment) => peak(gradient(trace(chain(weights, segment), x))));
  assert.ok(segments <= 20 * layerBytes && all >= 64 * layerBytes, `${segments} of ${all} bytes`);
  const held = [undefined, 8].map((segment) => {
    const graph = trace(chain(weights, segment), x);
    const variable = x.clone();
    variable.requiresGrad = true;
    const before = tapir.memory.stats().bytes;
    const loss = graph.run(variable) as T;
    const bytes = tapir.memory.stats().bytes - before;
    loss.backward();
    return { bytes, dx: digest(variable.grad as T) };
  });
  assert.ok(held[1].bytes <= 10 * layerBytes && held[0].bytes >= 64 * layerBytes, `${held[1].bytes} of ${held[0].bytes} bytes`);
  assert.is(held[1].dx, held[0].dx);
});

test("a training step with checkpointed parts gives the bits of the plain step, dropout included", () => {
  const runs = [false, true].flatMap((checkpointed) =>
    [false, true].map((compiled) => {
      tapir.manualSeed(7);
      const weights = weightsOf(6);
      const optimizer = new tapir.optim.Adam(weights, { lr: 0.01 });
      const block = (w: T) => (x: T) => tapir.dropout(x.matmul(w).tanh(), { p: 0.3 });
      const step = (x: T): T => {
        optimizer.zeroGrad();
        const loss = weights.reduce((y, w) => (checkpointed ? checkpoint(block(w)) : block(w))(y), x).square().mean(); // biome-ignore format: one chain
        loss.backward();
        optimizer.step();
        return loss;
      };
      const x = wave([BATCH, WIDTH], 1);
      const call = compiled ? compile<[T], T>(trace(step, x)) : step;
      tapir.manualSeed(8);
      const losses = Array.from({ length: 5 }, () => call(x).item());
      return { losses, weights: weights.map(digest) };
    }),
  );
  for (const run of runs.slice(1)) assert.equal(run, runs[0]);
  assert.ok(new Set(runs[0].losses).size === 5);
});

test("what is computed again is only what the derivative reads", () => {
  const x = wave([4, 4], 1);
  // the product's value is read by no derivative
  const part = checkpoint((t: T) => t.exp().mul(wave([4, 4], 2)));
  const graph = tapir.gradient(trace((t: T) => part(t).sum(), x));
  const names = graph.nodes.filter(({ region }) => region?.again).map(({ name }) => name);
  assert.equal(
    names.filter((name) => name === "exp" || name === "mul"),
    ["exp"],
  );
});

test("second derivatives of a checkpointed graph are those of the plain one", () => {
  const x = tensor([0.5, -1, 2], { dtype: "float64" });
  const cube = (t: T): T => t.mul(t).mul(t);
  const twice = (f: (t: T) => T): unknown => {
    const first = gradient(trace((t: T) => f(t).sum(), x));
    return (gradient(trace((t: T) => (first.run(t) as T).sum(), x)).run(x) as T).toArray();
  };
  assert.equal(twice(checkpoint(cube)), [3, -6, 12]);
  assert.equal(twice(cube), [3, -6, 12]);
});

test("checkpointed parts may nest, and stay checkpointed where a compiled function is part of a larger trace", () => {
  const weights = weightsOf(16);
  const x = wave([BATCH, WIDTH], 1);
  const inner = (from: number) => checkpoint((t: T) => weights.slice(from, from + 4).reduce((y, w) => y.matmul(w).tanh(), t));
  const outer = checkpoint((t: T) => [0, 4, 8, 12].reduce((y, from) => inner(from)(y), t));
  const nested = compile((t: T) => outer(t).square().sum());
  const graph = trace((t: T) => grad(nested)(t), x);
  const plain = grad(chain(weights))(x) as T;
  assert.equal((compile(graph)(x) as T).toArray(), plain.toArray());
  // four results of inner parts, one part of four layers, and what its derivative holds
  assert.ok(graph.stats().peakBytes <= 11 * layerBytes, `${graph.stats().peakBytes / layerBytes} layers`);
});

test("what a checkpointed function changes in place is changed once a step, in all modes", () => {
  const count = tensor([0]);
  const one = tensor([1]);
  const part = checkpoint((t: T) => {
    change({ name: "count", tensors: { count, one }, writes: ["count"], run: ({ count, one }) => void tapir.noGrad(() => count.add_(one)) });
    return t.exp();
  });
  const f = (t: T): T => part(t).sum();
  const x = tensor([1, 2]);
  grad(f)(x);
  assert.equal(count.toArray(), [1]);
  trace((t: T) => grad(f)(t), x).run(x);
  assert.equal(count.toArray(), [2]);
});

test.run();
