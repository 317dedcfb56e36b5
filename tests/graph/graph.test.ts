// What a graph shows of itself, and what the passes make of it.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { changesLast } from "../../ts-src/graph/passes/changes-last.js";
import { commonSubexpressions } from "../../ts-src/graph/passes/common-subexpressions.js";
import { constantFolding } from "../../ts-src/graph/passes/constant-folding.js";
import { deadCode } from "../../ts-src/graph/passes/dead-code.js";
import { optimise } from "../../ts-src/graph/passes/optimise.js";
import { simplify } from "../../ts-src/graph/passes/simplify.js";
import * as tapir from "../../ts-src/index.js";

const { tensor, trace, gradient } = tapir;
type T = tapir.Tensor;
const x = tensor([[1, -2, 3]]);
const w = tensor([[1, 2], [3, -4], [5, 6]]); // biome-ignore format: a matrix

/** Names of the ops of a graph, in order. */
function opsOf(graph: tapir.Graph): string[] {
  return graph.nodes.filter((node) => node.kind === "op").map((node) => node.name);
}

test("a graph lists its nodes with operands, shapes and dtypes", () => {
  const graph = trace((a: T, b: T) => a.matmul(b).relu().sum(), x, w);
  assert.is(
    String(graph),
    [
      "graph(x0: float32 [1,3], x1: float32 [3,2])",
      "  v0 = matmul(x0, x1)                       float32 [1,2]",
      "  v1 = relu(v0)                             float32 [1,2]",
      "  v2 = sum(v1; axes=[0,1], keepdims=false)  float32 []",
      "  return v2",
    ].join("\n"),
  );
});

test("it draws itself for Graphviz and as an SVG with every node", () => {
  const graph = trace((a: T, b: T) => a.matmul(b).relu().sum(), x, w);
  assert.match(graph.toDot(), /^digraph \{[\s\S]*x0 -> v0;\n {2}x1 -> v0;\n {2}v0 -> v1;\n {2}v1 -> v2;\n\}$/);
  const svg = graph.toSVG();
  assert.match(svg, /^<svg xmlns=[\s\S]*<\/svg>$/);
  for (const name of ["input", "matmul", "relu", "sum"]) assert.match(svg, new RegExp(`>${name}</text>`));
  assert.not.match(svg, /NaN|undefined/);
});

test("its statistics are those of the shapes", () => {
  const graph = trace((a: T, b: T) => a.matmul(b).relu().sum(), tapir.zeros([10, 20]), tapir.zeros([20, 30]));
  const [product, sum] = [10 * 30, 1];
  assert.equal(graph.stats(), {
    nodes: 3,
    edges: 4,
    flops: 2 * 10 * 20 * 30 + product + sum,
    bytesMoved: 4 * (10 * 20 + 20 * 30 + product + 2 * product + product + sum),
    peakBytes: 4 * 2 * product,
    fusedGroups: 0,
  });
  assert.is(trace((a: T) => a.transpose().reshape([3, 1]), x).stats().bytesMoved, 0, "views move nothing");
});

test("dead code goes, and what changes memory stays", () => {
  const unused = trace((a: T) => {
    a.exp();
    return a.neg();
  }, x);
  assert.equal(opsOf(unused), ["exp", "neg"]);
  assert.equal(opsOf(deadCode(unused)), ["neg"]);
  const p = tensor([1, 2], { requiresGrad: true });
  const optimizer = new tapir.optim.SGD([p], { lr: 0.1 });
  const step = trace(
    (a: T) => {
      p.mul(a).sum().backward();
      optimizer.step();
      return a.mul(2);
    },
    tensor([1, 1]),
  );
  assert.is(deadCode(step).nodes.filter((node) => node.kind === "change").length, 1);
});

test("common subexpressions are computed once, but not across a change of what they read", () => {
  const twice = trace((a: T) => a.exp().add(a.exp()), x);
  assert.equal(opsOf(commonSubexpressions(twice)), ["exp", "add"]);
  const other = trace(
    (a: T) =>
      a
        .sum({ axis: 0 })
        .sum()
        .add(a.sum({ axis: 1 }).sum()),
    x,
  );
  assert.is(opsOf(commonSubexpressions(other)).filter((name) => name === "sum").length, 4, "other parameters");
  const masks = trace((a: T) => tapir.dropout(a).add(tapir.dropout(a)), x);
  assert.is(opsOf(commonSubexpressions(masks)).filter((name) => name === "dropout").length, 2, "random numbers");
  const p = tensor([1, 2], { requiresGrad: true });
  const optimizer = new tapir.optim.SGD([p], { lr: 0.5 });
  const step = (a: T): T[] => {
    const before = p.mul(a);
    before.sum().backward();
    optimizer.step();
    return [before.detach(), tapir.noGrad(() => p.mul(a))];
  };
  const [before, after] = tapir.compile(step)(tensor([1, 1])) as [T, T];
  assert.equal([before.toArray(), after.toArray()], [[1, 2], [0.5, 1.5]]); // biome-ignore format: pairs
});

test("what is made of numbers alone is computed when the graph is made; weights are not", () => {
  const weight = tensor([1, 2, 3]);
  const graph = trace((a: T) => a.mul(tapir.ones([3]).mul(2).exp()).add(weight.mul(2)), x);
  assert.equal(opsOf(optimise(graph)), ["mul", "mul", "add"]);
  assert.equal((constantFolding(graph).run(x) as T).toArray(), (graph.run(x) as T).toArray());
});

test("what changes nothing is left out", () => {
  const graph = trace((a: T) => a.neg().neg().mul(1).transpose().transpose().reshape([3]).reshape([3, 1]).reshape([1, 3]).sub(0).div(1).exp(), x);
  assert.equal(opsOf(optimise(graph)), ["exp"]);
  assert.equal((simplify(graph).run(x) as T).toArray(), (graph.run(x) as T).toArray());
  const negative = trace((a: T) => a.add(0), tensor([-0]));
  assert.equal(opsOf(optimise(negative)), ["add"], "-0 + 0 is 0, so adding 0 stays");
});

test("the derivative of a chain has as many nodes as the chain, and its optimised graph the same result", () => {
  const chain =
    (n: number) =>
    (a: T): T => {
      let y = a;
      for (let i = 0; i < n; i++) y = y.tanh();
      return y.sum();
    };
  const nodes = [10, 20, 40].map((n) => gradient(trace(chain(n), x)).stats().nodes);
  assert.is(nodes[1] - nodes[0], 20);
  assert.is(nodes[2] - nodes[1], 40);
  const derivative = gradient(trace(chain(20), x));
  assert.equal((optimise(derivative).run(x) as T).toArray(), (derivative.run(x) as T).toArray());
});

test("changes of memory go behind all that does not read what they write, and no further", () => {
  const w = tensor([1, 2, 3]);
  const other = tensor([5]);
  const graph = trace((a: T) => {
    const before = a.mul(w);
    tapir.noGrad(() => w.add_(1));
    tapir.noGrad(() => other.mul_(2));
    return [before.exp(), w.neg()];
  }, x);
  const order = (g: tapir.Graph): string[] => g.nodes.filter((node) => node.op !== undefined || node.change !== undefined).map((node) => node.name);
  assert.equal(order(graph), ["mul", "add_", "mul_", "exp", "neg"]);
  assert.equal(order(changesLast(graph)), ["mul", "exp", "add_", "neg", "mul_"]);
});

test.run();
