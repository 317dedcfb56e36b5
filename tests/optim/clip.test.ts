// Clipping against the formulas of torch.nn.utils.clip_grad_norm_ and clip_grad_value_, in closed form.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertClose, assertThrows } from "../assert-close.js";

const { compile, optim, tensor } = tapir;
type T = tapir.Tensor;

/** Leaves whose gradients are these. */
function leaves(...gradients: number[][]): T[] {
  return gradients.map((g) => {
    const p = tapir.zeros([g.length], { dtype: "float64", requiresGrad: true });
    p.mul(tensor(g, { dtype: "float64" }))
      .sum()
      .backward();
    return p;
  });
}

const gradients = (ps: T[]): number[][] => ps.map((p) => (p.grad as T).toArray() as number[]);

test("gradients beyond the norm are scaled to it all together, those within stay, and the norm as it was is answered", () => {
  for (const [normType, before] of [
    [2, 13],
    [1, 19],
    [Number.POSITIVE_INFINITY, 12],
    [3, (27 + 64 + 1728) ** (1 / 3)],
  ]) {
    // biome-ignore format: pairs
    const ps = leaves([3, -4], [], [12]);
    const total = optim.clipGradNorm(ps, 2, { normType }).item();
    assert.ok(Math.abs(total - before) < 1e-12 * before, `${total} instead of ${before}`);
    const factor = 2 / (before + 1e-6);
    for (const [i, g] of [[3, -4], [], [12]].entries()) {
      // biome-ignore format: short
      for (const [j, value] of g.entries()) assert.ok(Math.abs(gradients(ps)[i][j] - value * factor) < 1e-12);
    }
  }
  const ps = leaves([3, -4]);
  assert.is(optim.clipGradNorm(ps, 5.1).item(), 5);
  assert.equal(gradients(ps), [[3, -4]]);
});

test("a parameter without gradient counts nothing, and none at all have the norm 0", () => {
  const without = tapir.ones([2], { requiresGrad: true });
  assert.is(optim.clipGradNorm([without, ...leaves([6, 8])], 100).item(), 10);
  assert.is(optim.clipGradNorm([without], 1).item(), 0);
  assert.is(optim.clipGradNorm(without, 1).item(), 0);
  optim.clipGradValue([without], 1);
  assert.is(without.grad, undefined);
});

test("elements are moved into the bounds", () => {
  const ps = leaves([3, -4, 0.5], [-0.25]);
  optim.clipGradValue(ps, 1);
  assert.equal(gradients(ps), [[1, -1, 0.5], [-0.25]]); // biome-ignore format: short
});

test("two leaves that share a gradient's memory are clipped each for itself", () => {
  const [a, b] = [1, 2].map(() => tapir.zeros([2], { requiresGrad: true }));
  a.add(b)
    .mul(tensor([3, 4]))
    .sum()
    .backward();
  optim.clipGradNorm([a], 1);
  assert.equal((b.grad as T).toArray(), [3, 4]);
  assert.ok(Math.abs((a.grad as T).square().sum().item() - 1) < 1e-5);
});

test("a norm that is not finite is an error if asked, and then nothing was changed", () => {
  const ps = leaves([3, Number.NaN], [4]);
  assertThrows(
    () => optim.clipGradNorm(ps, 1, { errorIfNonfinite: true }),
    tapir.NumericError,
    /^clipGradNorm: expected gradients with a finite norm; got NaN/,
  );
  assert.equal(gradients(ps)[1], [4]);
  assert.ok(Number.isNaN(optim.clipGradNorm(ps, 1).item()));
  assert.ok(Number.isNaN(gradients(ps)[1][0]));
});

test("a compiled step clips as the eager one, bit for bit, and nothing is left behind", () => {
  const runs = [false, true].map((compiled) => {
    const w = tensor([[1, -2], [3, 4]], { requiresGrad: true }); // biome-ignore format: a matrix
    const optimizer = new optim.SGD([w], { lr: 0.1 });
    const step = (x: T): T => {
      optimizer.zeroGrad();
      const loss = x.matmul(w).square().sum();
      loss.backward();
      optim.clipGradNorm([w], 0.5);
      optim.clipGradValue([w], 0.3);
      optim.clipGradAdaptive(w, { clipping: 0.05 });
      optimizer.step();
      return loss;
    };
    const call = compiled ? compile(step) : step;
    const x = tensor([[1, 2], [-1, 0.5]]); // biome-ignore format: a matrix
    for (let i = 0; i < 5; i++) call(x).item();
    const before = tapir.memory.stats().tensors;
    for (let i = 0; i < 20; i++) call(x).item();
    return { w: w.toArray(), left: tapir.memory.stats().tensors - before };
  });
  assert.equal(runs[1], runs[0]);
  assert.is(runs[0].left, 0);
});

test("adaptive clipping bounds the gradient of each unit by a share of its weights, as in the paper's formula", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const cases: { w: number[]; shape: number[]; g: number[] }[] = [
      { w: [3, 4, 0, 0, 0.3, 0.4], shape: [3, 2], g: [0, 1, 5, 0, 1e-9, 0] },
      { w: [3, 4], shape: [2], g: [0.01, 0.02] },
      { w: [1, 2, 3, 4, 5, 6, 7, 8], shape: [2, 1, 2, 2], g: [1, -1, 1, -1, 0.01, 0.01, 0.01, 0.01] },
      { w: [2], shape: [], g: [-3] },
    ];
    for (const { w, shape, g } of cases) {
      const p = tensor(tensor(w, { dtype }).reshape(shape), { requiresGrad: true });
      p.mul(tensor(g, { dtype }).reshape(shape)).sum().backward(); // biome-ignore format: short
      optim.clipGradAdaptive([p], { clipping: 0.1, eps: 0.5 });
      const units = shape.length > 1 ? shape[0] : 1;
      const n = w.length / units;
      const size = (x: number[]): number => Math.hypot(...x);
      const wanted = g.map((value, i) => {
        const unit = Math.floor(i / n);
        const [of, by] = [w, g].map((x) => size(x.slice(unit * n, unit * n + n)));
        return value * Math.min(1, (0.1 * Math.max(of, 0.5)) / Math.max(by, 1e-6));
      });
      assertClose((p.grad as T).data(), wanted, { rtol: dtype === "float32" ? 1e-6 : 1e-14 }, `shape [${shape}]`);
    }
  }
});

test("wrong bounds and parameters are typed errors", () => {
  const ps = leaves([1]);
  for (const bound of [-1, Number.NaN, "1", null] as number[]) {
    assertThrows(() => optim.clipGradNorm(ps, bound), tapir.ConfigError, /^clipGradNorm: expected maxNorm, a number >= 0; got/);
    assertThrows(() => optim.clipGradValue(ps, bound), tapir.ConfigError, /^clipGradValue: expected clipValue, a number >= 0; got/);
  }
  assertThrows(() => optim.clipGradNorm(ps, 1, { normType: 0 }), tapir.ConfigError, /normType, a number above 0; got 0/);
  assertThrows(() => optim.clipGradNorm("w" as unknown as T[], 1), tapir.ConfigError, /expected parameters, such as model\.parameters\(\); got/);
  assertThrows(() => optim.clipGradAdaptive(ps, { clipping: 0 }), tapir.ConfigError, /^clipGradAdaptive: expected a number above 0 for clipping; got 0/);
  assertThrows(() => optim.clipGradAdaptive(ps, { eps: -1 }), tapir.ConfigError, /eps; got -1/);
  assertThrows(() => optim.clipGradAdaptive(ps, { factor: 1 } as never), tapir.ConfigError, /got factor/);
  assertThrows(() => optim.clipGradNorm(ps, 1, { norm: 2 } as tapir.optim.ClipOptions), tapir.ConfigError, /norm/);
});

test.run();
