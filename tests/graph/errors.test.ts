// What a graph, its derivative and its plan say to arguments that they cannot take.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Plan } from "../../ts-src/graph/plan.js";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { compile, gradient, ones, trace } = tapir;
type T = tapir.Tensor;

const x = ones([2, 3]);
const w = ones([3, 4]);
const graph = trace((a: T, b: T) => a.matmul(b).tanh().sum(), x, w);

test("a plan that was disposed, or arguments of other shapes, dtypes or number than traced are typed errors that lose nothing", () => {
  const plan = new Plan(graph, []);
  plan.run([x, w]);
  plan.dispose();
  plan.dispose();
  assertThrows(() => plan.run([x, w]), tapir.ConfigError, /plan that was not disposed; call compile\(\) again/);
  const call = compile(graph);
  const value = (call(x, w) as T).item();
  const before = { ...tapir.memory.stats(), traces: call.stats().traces };
  for (const run of [call, (...args: T[]) => graph.run(...args)]) {
    assertThrows(() => run(ones([2, 4]), w), tapir.ShapeError, /expected input 0 of shape \[2,3\]; got \[2,4\]; trace it anew/);
    assertThrows(() => run(x, ones([3, 4], { dtype: "float64" })), tapir.DtypeError, /expected input 1 of dtype float32; got float64; trace it anew/);
    assertThrows(() => run(x), tapir.ConfigError, /expected 2 arguments; got 1/);
    assertThrows(() => run(x, 3 as unknown as T), tapir.ConfigError, /expected 2 tensors in the arguments; got 1/);
    const gone = ones([2, 3]);
    gone.dispose();
    assertThrows(() => run(gone, w), tapir.DisposedError, /it was disposed/);
  }
  assert.is(call.stats().traces, before.traces);
  assert.is((call(x, w) as T).item(), value);
});

test("a compiled function may be used again after dispose(), and its results from before say that they are gone", () => {
  const call = compile((a: T) => a.mul(2));
  const old = call(x);
  call.dispose();
  assertThrows(() => old.item(), tapir.DisposedError, /keep/);
  assert.equal(call(x).toArray(), [[2, 2, 2], [2, 2, 2]]); // biome-ignore format: a matrix
});

test("an argument that the output does not depend on gets zeros, or an error that names it", () => {
  const tree = { used: ones([2]), rest: [ones([3]), ones([4])] };
  const part = trace(({ used, rest }: typeof tree) => used.mul(rest[0].sum()).sum(), tree);
  const zeros = gradient(part).run(tree) as unknown as typeof tree;
  assert.equal(zeros.rest[1].toArray(), [0, 0, 0, 0]);
  assertThrows(
    () => gradient(part, { unused: "error" }),
    tapir.GradientError,
    /an output that depends on argument 0\.rest\[1\], float32 \[4\]; got sum float32 \[\], which does not read it; leave it out of wrt, or use \{ unused: "zero" \}/,
  );
  assertThrows(() => gradient(part, { unused: "warn" as "zero" }), tapir.ConfigError, /unused "zero" or "error"; got .*warn/);
});

test("a change of memory that reads an argument is no way for it to the output", () => {
  const p = ones([2], { requiresGrad: true });
  const optimizer = new tapir.optim.SGD([p], { lr: 0.1 });
  const step = trace(
    (a: T, b: T) => {
      p.mul(a).sum().backward();
      optimizer.step();
      return b.sum();
    },
    ones([2]),
    ones([2]),
  );
  assertThrows(() => gradient(step, { wrt: 0, unused: "error" }), tapir.GradientError, /depends on argument 0, float32 \[2\]/);
});

test("an output without a derivative is an error that names its node and says what to do", () => {
  const output = (f: (a: T) => tapir.Tree) => () => gradient(trace(f, x));
  assertThrows(output((a) => a.tanh()), tapir.GradientError, /one output of one float element; got tanh float32 \[2,3\]; trace sum\(\) or mean\(\) of it/); // biome-ignore format: one line
  assertThrows(output((a) => [a.sum(), a.mean()]), tapir.GradientError, /got sum float32 \[\], mean float32 \[\]; trace a function that returns one/); // biome-ignore format: one line
  assertThrows(output((a) => a.to("int32").sum()), tapir.GradientError, /got sum int32 \[\]; integers have no derivative/); // biome-ignore format: one line
});

test("wrt that names no float argument is an error that says which", () => {
  const index = trace((a: T, i: T) => a.sum().add(i.to("float32").sum()), x, tapir.zeros([2], { dtype: "int32" }));
  assertThrows(() => gradient(index, { wrt: 1 }), tapir.DtypeError, /float32 or float64 for argument 1; got int32 \[2\]; leave it out of wrt/);
  assertThrows(() => gradient(index, { wrt: 2 }), tapir.GradientError, /wrt from 0 to 1; got 2/);
  assertThrows(() => gradient(index, { wrt: [0, 0] }), tapir.ConfigError, /different arguments in wrt; got \[0,0\]/);
  assertThrows(() => gradient(index, { wrt: [] }), tapir.ConfigError, /different arguments in wrt; got \[\]/);
});

test("a function that returns no tensor cannot be traced, and the error says what came", () => {
  assertThrows(() => trace(() => undefined as unknown as T, x), tapir.ConfigError, /returns a tensor, or a tree of tensors; got undefined; return what/);
  assertThrows(() => trace(() => ({ loss: 3 }) as unknown as T, x), tapir.ConfigError, /returns a tensor, or a tree of tensors; got/);
});

test.run();
