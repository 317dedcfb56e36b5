// L-BFGS against PyTorch's, loss by loss, and its line search.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, compile, memory, NumericError, noGrad, optim, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { type Place, strongWolfe } from "../../ts-src/optim/strong-wolfe.js";
import { assertClose, assertThrows } from "../assert-close.js";
import { parameters } from "./problem.js";

interface Case {
  settings: Partial<optim.LBFGSSettings>;
  steps: number;
  losses: number[];
  weights: Record<string, number[][]>;
  evaluations: number;
}
const { lbfgs: cases }: { lbfgs: Case[] } = JSON.parse(readFileSync("tests/fixtures/optim/optim.json", "utf8"));
const SHAPES = [[3, 5], [7]]; // biome-ignore format: short

/** Rosenbrock's function of one parameter and a quartic of the other, which share a term. */
function closureOf([a, b]: Tensor[], optimizer: { zeroGrad(): void }): () => Tensor {
  return () => {
    optimizer.zeroGrad();
    const [next, own] = [b.slice([1, null]), b.slice([0, -1])];
    const valley = next.sub(own.square()).square().mul(100).add(own.mul(-1).add(1).square()).sum();
    const shared = a.sum().div(15).sub(b.sum().div(7)).square();
    const loss = valley.add(a.sub(2).pow(4).sum()).add(shared);
    loss.backward();
    return loss;
  };
}

for (const { settings, steps, losses, weights, evaluations } of cases) {
  test(`LBFGS ${JSON.stringify(settings)}: PyTorch's losses and weights of ${steps} steps`, () => {
    const ps = parameters(SHAPES, "float64");
    const optimizer = new optim.LBFGS(ps, settings);
    const closure = closureOf(ps, optimizer);
    for (let t = 1; t <= steps; t++) {
      assertClose([optimizer.step(closure) as number], [losses[t - 1]], { rtol: 1e-10 }, `loss of step ${t}`);
      for (const [i, wanted] of (weights[t] ?? []).entries()) assertClose(ps[i].data(), wanted, { rtol: 1e-10 }, `parameter ${i}, step ${t}`);
    }
    assert.is(optimizer.stateDict().state[0].func_evals, evaluations);
  });
}

test("LBFGS in float32 comes to the minimum that PyTorch finds in float64", () => {
  const { settings, weights, steps } = cases[1];
  const ps = parameters(SHAPES, "float32");
  const optimizer = new optim.LBFGS(ps, settings);
  const closure = closureOf(ps, optimizer);
  for (let t = 0; t < steps; t++) optimizer.step(closure);
  const wanted = parameters(SHAPES, "float64");
  noGrad(() => wanted.forEach((p, i) => void p.copy_(tensor(weights[steps][i], { dtype: "float64" }).reshape(SHAPES[i]))));
  const lowest = closureOf(wanted, { zeroGrad: () => undefined })().item();
  assertClose([closure().item()], [lowest], { rtol: 1e-3 });
});

test("LBFGS goes on from a saved state bit for bit", () => {
  for (const settings of [
    { maxIter: 3, historySize: 4, lr: 0.1 },
    { maxIter: 3, historySize: 4, lineSearchFn: "strongWolfe" as const },
  ]) {
    const ps = parameters(SHAPES, "float32");
    const first = new optim.LBFGS(ps, settings);
    for (let t = 0; t < 4; t++) first.step(closureOf(ps, first));
    const copies = ps.map((p) => tensor(p, { requiresGrad: true }));
    const second = new optim.LBFGS(copies);
    second.loadStateDict(first.stateDict());
    for (let t = 0; t < 3; t++) {
      first.step(closureOf(ps, first));
      second.step(closureOf(copies, second));
    }
    assert.equal(
      copies.map((p) => [...p.data()]),
      ps.map((p) => [...p.data()]),
    );
    assert.equal(Object.keys(second.stateDict().state), ["0"]);
    assert.equal(second.stateDict().state[0].old_dirs instanceof Object && (second.stateDict().state[0].old_dirs as Tensor).shape, [4, 22]);
  }
});

test("LBFGS without a closure takes one step by the gradients that are there", () => {
  const w = tensor([3, -4], { requiresGrad: true, dtype: "float64" });
  const optimizer = new optim.LBFGS([w], { lr: 0.5 });
  const descend = (): void => {
    optimizer.zeroGrad();
    w.square().sum().backward();
    assert.is(optimizer.step(), undefined);
  };
  descend();
  // the first step has length lr along g / |g|_1
  assertClose(w.data(), [3 - (0.5 * 6) / 14, -4 + (0.5 * 8) / 14], { rtol: 1e-15 });
  // from the second on the curvature is known: half of the way to the minimum
  const before = [...w.data()];
  descend();
  assertClose(w.data(), [before[0] / 2, before[1] / 2], { rtol: 1e-12 });
  const state = optimizer.stateDict();
  new optim.LBFGS([w]).loadStateDict(state);
  assertThrows(
    () => new optim.LBFGS([w], { lineSearchFn: "strongWolfe" }).step(),
    ConfigError,
    /^LBFGS: expected step\(closure\) with lineSearchFn; got no closure/,
  );
});

test("LBFGS leaves no tensor behind", () => {
  const ps = parameters(SHAPES, "float32");
  const optimizer = new optim.LBFGS(ps, { maxIter: 4, historySize: 3, lineSearchFn: "strongWolfe", toleranceChange: 0, toleranceGrad: 0 });
  const closure = closureOf(ps, optimizer);
  const counts = Array.from({ length: 30 }, () => {
    optimizer.step(closure);
    // gradients and graphs of the closure's last calls live on for two passes
    for (let i = 0; i < 20; i++) closure();
    return memory.stats().tensors;
  });
  assert.equal(new Set(counts.slice(10)).size, 1, counts.join());
});

test("what LBFGS cannot take is a typed error, and nothing is changed", () => {
  const w = (): Tensor => tensor([1, 2], { requiresGrad: true });
  const refused = (params: unknown, settings: object, message: RegExp): void =>
    assertThrows(() => new optim.LBFGS(params as Tensor[], settings), ConfigError, message);
  refused([{ params: [w()] }, { params: [w()] }], {}, /^LBFGS: expected one group of parameters; got 2/);
  refused([w(), tensor([1], { requiresGrad: true, dtype: "float64" })], {}, /one dtype; got float32, float64/);
  refused([w()], { lineSearchFn: "strong_wolfe" }, /lineSearchFn "strongWolfe" or null; got string strong_wolfe/);
  refused([w()], { maxIter: 1.5 }, /whole number for maxIter; got 1.5/);
  refused([w()], { historySize: 0 }, /historySize/);
  refused([w()], { momentum: 0 }, /got momentum/);
  const p = w();
  const optimizer = new optim.LBFGS([p]);
  assertThrows(() => optimizer.step(5 as never), ConfigError, /closure that answers the loss; got number 5/);
  assertThrows(() => optimizer.step(() => p), ConfigError, /a loss of one element; got/);
  assertThrows(() => optimizer.step(() => p.sum().mul(Number.NaN)), NumericError, /finite loss; got NaN/);
  assertThrows(
    () =>
      compile((x: Tensor) => {
        optimizer.step(() => p.mul(x).sum());
        return x;
      })(tensor([1, 2])),
    ConfigError,
    /^LBFGS: expected a step outside of a trace/,
  );
  assert.equal([...p.data()], [1, 2]);
  optimizer.step(closureOf([w(), p], optimizer));
  const saved = optimizer.stateDict();
  assertThrows(() => optimizer.loadStateDict({ ...saved, state: { 0: { ...saved.state[0], old_stps: zeros([1, 3]) } } }), ShapeError, /old_stps of shape/);
});

test("the line search meets the strong Wolfe conditions, on lines that rise, bend and end in no number", () => {
  const lines: Record<string, (t: number) => [loss: number, slope: number]> = {
    parabola: (t) => [(t - 3) ** 2, 2 * (t - 3)],
    far: (t) => [(t - 300) ** 2, 2 * (t - 300)],
    quartic: (t) => [(t - 0.01) ** 4, 4 * (t - 0.01) ** 3],
    waves: (t) => [-t - 0.9 * Math.sin(3 * t), -1 - 2.7 * Math.cos(3 * t)],
    wall: (t) => (t < 0.3 ? [-Math.log(0.3 - t) - 20 * t, 1 / (0.3 - t) - 20] : [Number.POSITIVE_INFINITY, Number.NaN]),
  };
  for (const [name, line] of Object.entries(lines)) {
    const at = (t: number): Place => ({ t, loss: line(t)[0], slope: line(t)[1] });
    const start = at(0);
    const found = strongWolfe(at, start, 1, 1, 1e-9);
    assert.ok(found.loss <= start.loss + 1e-4 * found.t * start.slope, `${name}: ${JSON.stringify(found)}`);
    assert.ok(Math.abs(found.slope) <= -0.9 * start.slope, `${name}: ${JSON.stringify(found)}`);
  }
});

test.run();
