// The eigendecomposition of a symmetric matrix, and Adagrad with the full matrix beyond its fixture.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, compile, NumericError, optim, ShapeError, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { symmetricEigen } from "../../ts-src/optim/eigen.js";
import { assertClose, assertThrows } from "../assert-close.js";

/** Numbers from -1 to 1. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

test("eigenvectors are orthonormal and give the matrix back, whatever its size and rank", () => {
  const next = random(11);
  const matrices: [n: number, entry: (i: number, j: number) => number][] = [
    [1, () => -3],
    [2, (i, j) => (i === j ? 0 : 1)],
    [4, () => 0],
    [5, (i, j) => (i === j ? i : 0)],
    [6, () => 1],
    [9, (i, j) => (Math.abs(i - j) === 1 ? 1 : 0)],
    [12, (i, j) => 1 / (i + j + 1)],
    [40, () => next()],
    [33, () => 1e150 * next()],
    [33, () => 1e-150 * next()],
  ];
  for (const [n, entry] of matrices) {
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        a[i * n + j] = entry(i, j);
        a[j * n + i] = a[i * n + j];
      }
    }
    const { values, vectors } = symmetricEigen(a, n);
    const scale = Math.max(...a.map(Math.abs));
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let [product, back] = [0, 0];
        for (let k = 0; k < n; k++) {
          product += vectors[i * n + k] * vectors[j * n + k];
          back += values[k] * vectors[k * n + i] * vectors[k * n + j];
        }
        assertClose([product], [i === j ? 1 : 0], { atol: 1e-13 * n }, `${n}: v_${i} v_${j}`);
        assertClose([back], [a[i * n + j]], { atol: 1e-14 * n * scale }, `${n}: [${i},${j}], seed 11`);
      }
    }
  }
});

function withGradient(w: Tensor, g: number[]): Tensor {
  w.grad?.dispose();
  w.mul(tensor(g)).sum().backward();
  return w;
}

test("the first step has the length lr, whatever the gradient, and a parameter without one stays", () => {
  const w = withGradient(tensor([1, 1], { requiresGrad: true }), [3, -4]);
  const other = tensor([5], { requiresGrad: true });
  new optim.FullMatrixAdagrad([w, other], { lr: 0.5, eps: 0 }).step();
  assertClose(w.data(), [1 - 0.3, 1 + 0.4], { rtol: 1e-6 });
  assert.is(other.item(), 5);
});

test("a rotation of the weights rotates the steps: what the diagonal alone does not do", () => {
  const [c, s] = [0.6, 0.8];
  const gradients = [[1, 2], [3, -1], [-2, 0.5]]; // biome-ignore format: rows
  const run = (turned: boolean, Class: typeof optim.Adagrad | typeof optim.FullMatrixAdagrad): number[] => {
    const w = tensor([0, 0], { requiresGrad: true, dtype: "float64" });
    const optimizer = new Class([w], { lr: 0.1, eps: 1e-3 });
    for (const [x, y] of gradients) {
      optimizer.zeroGrad();
      w.mul(tensor(turned ? [c * x - s * y, s * x + c * y] : [x, y], { dtype: "float64" }))
        .sum()
        .backward();
      optimizer.step();
    }
    const [x, y] = w.data();
    return turned ? [c * x + s * y, -s * x + c * y] : [x, y];
  };
  assertClose(run(true, optim.FullMatrixAdagrad), run(false, optim.FullMatrixAdagrad), { rtol: 1e-10 });
  assert.ok(Math.abs(run(true, optim.Adagrad)[0] - run(false, optim.Adagrad)[0]) > 1e-3);
});

test("what cannot be is a typed error, and nothing is changed", () => {
  assertThrows(() => new optim.FullMatrixAdagrad([zeros([2049], { requiresGrad: true })]), ConfigError, /at most 2048 elements; got 2049; take Adagrad/);
  const w = withGradient(tensor([1, 2], { requiresGrad: true }), [Number.NaN, 0]);
  const optimizer = new optim.FullMatrixAdagrad([w]);
  assertThrows(() => optimizer.step(), NumericError, /gradients whose squares are finite; got NaN/);
  assert.equal([[...w.data()], optimizer.stateDict().state], [[1, 2], {}]);
  const before = withGradient(tensor([5], { requiresGrad: true }), [1]);
  const groups = new optim.FullMatrixAdagrad([{ params: [before] }, { params: [w] }]);
  assertThrows(() => groups.step(), NumericError, /got NaN/);
  assert.equal([[...before.data()], groups.stateDict().state], [[5], {}]);
  const step = compile((x: Tensor) => {
    optimizer.zeroGrad();
    const loss = w.mul(x).sum();
    loss.backward();
    optimizer.step();
    return loss;
  });
  assertThrows(() => step(tensor([1, 1])), ConfigError, /^FullMatrixAdagrad: expected a step outside of a trace/);
  optimizer.zeroGrad();
  withGradient(w, [1, 1]);
  optimizer.step();
  const saved = optimizer.stateDict();
  assert.equal(Object.keys(saved.state[0]), ["step", "sum"]);
  assertThrows(() => optimizer.loadStateDict({ ...saved, state: { 0: { step: 1, sum: zeros([2, 3]) } } }), ShapeError, /sum of shape \[2,2\]; got \[2,3\]/);
  const two = new optim.FullMatrixAdagrad([w, tensor([1], { requiresGrad: true })]);
  assertThrows(() => two.loadStateDict({ ...two.stateDict(), state: { 1: saved.state[0] } }), ConfigError, /state of parameter 1: expected none/);
});

test("Muon refuses what is no matrix", () => {
  for (const shape of [[3], [2, 3, 4], []]) // biome-ignore format: short
    assertThrows(() => new optim.Muon([zeros(shape, { requiresGrad: true })]), ConfigError, /^Muon: expected parameters of two axes; got .*give it to AdamW/);
});

test.run();
