// The pass that makes cheap nodes again beside their readers.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { recompute } from "../../ts-src/graph/passes/recompute.js";
import * as tapir from "../../ts-src/index.js";

const { tensor, trace } = tapir;
type T = tapir.Tensor;

const x = tensor(Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i)));

/** How often a graph has an op. */
function count(graph: tapir.Graph, op: string): number {
  return graph.nodes.filter(({ name }) => name === op).length;
}

/** relu(x) is read at both ends; between them the graph peaks. */
const around =
  (cheap: (t: T) => T, middle: (t: T) => T) =>
  (t: T): T => {
    const held = cheap(t);
    const first = held.sum();
    const between = middle(t);
    return held.mul(between).sum().add(first);
  };
const large = (t: T): T => t.reshape([1024, 1]).mul(t.reshape([1, 1024])).sum({ axis: 0 }); // biome-ignore format: one chain

test("before: a relu of an argument is held across the peak; after: it is made again beside its reader, and the peak is lower by it", () => {
  const graph = trace(
    around((t) => t.relu(), large),
    x,
  );
  const pass = recompute(graph);
  assert.is(count(graph, "relu"), 1);
  assert.is(count(pass, "relu"), 2);
  assert.is(pass.stats().peakBytes, graph.stats().peakBytes - 4 * 1024);
  assert.equal((pass.run(x) as T).toArray(), (graph.run(x) as T).toArray());
  assert.equal((tapir.compile(pass)(x) as T).toArray(), (graph.run(x) as T).toArray());
});

test("what is not cheap stays: a tanh, a product, a sum", () => {
  for (const costly of [
    (t: T): T => t.tanh(),
    (t: T): T =>
      t
        .reshape([32, 32])
        .matmul(t.reshape([32, 32]))
        .reshape([1024]),
  ]) {
    const graph = trace(around(costly, large), x);
    assert.is(recompute(graph), graph);
  }
});

test("what is made of something that is not held any more stays", () => {
  const graph = trace(
    around((t) => t.exp().relu(), large),
    x,
  );
  assert.is(recompute(graph), graph);
});

test("where the peak would not fall, nothing is computed again", () => {
  const graph = trace(around((t) => t.relu(), (t) => t.neg()), x); // biome-ignore format: one line
  const pass = recompute(graph);
  assert.ok(pass.stats().peakBytes <= graph.stats().peakBytes);
  const lower = pass.stats().peakBytes < graph.stats().peakBytes;
  assert.is(count(pass, "relu"), lower ? 2 : 1);
});

test("a comparison and a cast of an argument are made again too, and a result never goes", () => {
  const mask = (t: T): T => t.gt(0).to("float32");
  const graph = trace((t: T) => [around(mask, large)(t), t.relu()] as T[], x);
  const pass = recompute(graph);
  assert.ok(pass.stats().peakBytes < graph.stats().peakBytes);
  const [a, b] = [pass, graph].map((g) => (g.run(x) as T[]).map((t) => t.toArray()));
  assert.equal(a, b);
});

test.run();
