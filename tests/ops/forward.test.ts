// Forward mode and deep nesting: jvp of every op against central differences and against its jacobian, eager and traced.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope } from "../../bindings/lifetime.js";
import { type AnyOp, apply, type Draw, type SampleOperand } from "../../bindings/op.js";
import * as tapir from "../../ts-src/index.js";
import { assertClose } from "../assert-close.js";
import { Random } from "../draw.js";

const { compile, grad, hessian, hvp, jacobian, jvp, noGrad, ops, tensor, vmap } = tapir;
type T = tapir.Tensor;
const SEED = 20250118;
const RANDOM_CASES = 6;
console.log(`seed ${SEED}`);

// toFloat changes to float32, alias is the beginning of every other op's variables
const WITHOUT_SAMPLES = ["toFloat", "alias"];
const run = apply as unknown as (declaration: AnyOp, inputs: Record<string, T>, params: unknown) => T;
type AnySample = { inputs: Record<string, SampleOperand>; params?: unknown };

/** f'(0) by central differences at three widths, extrapolated twice (Richardson). */
function differences(f: (t: number) => T): Float64Array {
  const h = 2 ** -7;
  const central = (width: number): number[] => {
    const [a, b] = [f(width).data(), f(-width).data()];
    return Array.from(a, (value, i) => (value - b[i]) / (2 * width));
  };
  const [p, q, r] = [central(h), central(h / 2), central(h / 4)];
  return Float64Array.from(p, (_, i) => (16 * (4 * r[i] - q[i])) / 45 - (4 * q[i] - p[i]) / 45);
}

for (const [name, declaration] of ops) {
  if (typeof declaration.vjp !== "function" || WITHOUT_SAMPLES.includes(name)) continue;
  test(`${name}: jvp agrees with finite differences and with the jacobian, eager and compiled`, () => {
    const random = new Random(SEED);
    const samples = declaration.samples as readonly (AnySample | ((draw: Draw) => AnySample))[];
    for (let i = 0; i < RANDOM_CASES; i++) {
      scope(() => {
        const sample = samples[i % samples.length];
        const { inputs, params } = typeof sample === "function" ? sample(random) : sample;
        const given = declaration.inputs.map((input) => random.operand(inputs[input]));
        const places = given.map((_, j) => j).filter((j) => given[j].dtype === "float64");
        const f = (...xs: T[]): T =>
          run(declaration, Object.fromEntries(declaration.inputs.map((input, j) => [input, places.includes(j) ? xs[places.indexOf(j)] : given[j]])), params);
        const xs = places.map((j) => given[j]);
        // piecewise constant operands, such as a mask, have no tangent
        const moving = xs.filter((_, j) => hasDerivative(f, xs, j));
        const g = (...ys: T[]): T => f(...xs.map((x) => (moving.includes(x) ? ys[moving.indexOf(x)] : x)));
        const vs = moving.map((x) => random.operand({ shape: x.shape }));
        const where = `case ${i}, ${JSON.stringify({ shapes: given.map((x) => x.shape), params })}`;
        const [value, tangent] = jvp(((all: T[]) => g(...all)) as (...all: never[]) => T, moving, vs) as [T, T];
        assert.equal(value.data(), g(...moving).data(), where);
        assertClose(
          tangent.data(),
          noGrad(() => differences((t) => g(...moving.map((x, j) => x.add(vs[j].mul(t)))))),
          { rtol: 1e-6, atol: 1e-7 },
          where,
        );
        let product: T | undefined;
        for (const [j, x] of moving.entries()) {
          const matrix = jacobian((at: T) => g(...moving.with(j, at)))(x).reshape([value.size, x.size]);
          const part = matrix.matmul(vs[j].reshape([x.size]));
          product = product === undefined ? part : product.add(part);
        }
        assertClose(tangent.data(), (product as T).data(), { rtol: 1e-11, atol: 1e-11 }, where);
        // compiled, dropout draws numbers of its own: tests/graph/step.test.ts
        if (name === "dropout") return;
        const compiled = compile((...all: T[]) =>
          (jvp(((ys: T[]) => g(...ys)) as (...ys: never[]) => T, all.slice(0, moving.length), all.slice(moving.length)) as [T, T])[1].add(0),
        );
        assertClose(compiled(...moving, ...vs).data(), tangent.data(), { rtol: 1e-13, atol: 1e-13 }, where);
        compiled.dispose();
      });
    }
  });
}

/** Whether the op has a derivative for that operand, or says "none". */
function hasDerivative(f: (...xs: T[]) => T, xs: readonly T[], wrt: number): boolean {
  try {
    grad((...all: T[]) => f(...all).sum(), { wrt })(...xs);
    return true;
  } catch (error) {
    if (error instanceof tapir.GradientError && /has no derivative/.test(error.message)) return false;
    throw error;
  }
}

const x = tensor([0.3, -0.7, 1.1], { dtype: "float64" });
const v = tensor([1, 0.5, -2], { dtype: "float64" });
const w = tensor([-0.25, 2, 1], { dtype: "float64" });
const f = (t: T): T => t.mul(t.sum()).exp().sum();

/** Of e^(x_i s) summed over i, s the sum of x: the derivative along directions, by differences of the one before. */
const along =
  (g: (t: T) => T, d: T): ((t: T) => T) =>
  (t) =>
    grad(g)(t).mul(d).sum();

test("transformations nest to any depth, whichever they are", () => {
  const third = along(along(along(f, v), w), v);
  const forward = (g: (t: T) => T, d: T) => (t: T) => (jvp(g, t, d) as [T, T])[1];
  const same = (how: (t: T) => T): void => assertClose(how(x).data(), third(x).data(), { rtol: 1e-11 });
  same(forward(forward(forward(f, v), w), v));
  same(along(forward(along(f, v), w), v));
  same(forward(along(forward(f, v), w), v));
  same((t) => hvp(along(f, v), t, w).mul(v).sum());
  same((t) => jacobian(hessian(f))(t).matmul(v).matmul(w).matmul(v));
  same((t) => hessian(along(f, v))(t).matmul(v).matmul(w));
  same((t) =>
    jacobian((at: T) => hvp(f, at, v))(t)
      .matmul(v)
      .matmul(w),
  );
  same(compile(forward(forward(forward(f, v), w), v)));
  const fourth = along(third, w);
  assertClose(
    hvp((t: T) => hvp(f, t, v).mul(w).sum(), x, v)
      .mul(w)
      .sum()
      .data(),
    fourth(x).data(),
    { rtol: 1e-10 },
  );
  const rows = tapir.stack([x, v, w]).mul(0.5);
  assert.equal(vmap(jacobian(hessian(f)))(rows).shape, [3, 3, 3, 3]);
  assertClose(
    vmap(third)(rows).data(),
    [0, 1, 2].map((i) => third(tapir.slice(rows, i)).item()),
    { rtol: 1e-11 },
  );
});

test("grad of grad of grad is the third derivative", () => {
  const cube = (t: T): T => t.mul(t).mul(t).mul(t).sum();
  const sums = (g: (t: T) => T) => (t: T) => g(t).sum();
  const once = (g: (t: T) => T): ((t: T) => T) => grad(sums(g)) as (t: T) => T;
  assertClose(
    once(once(once(cube)))(x).data(),
    Array.from(x.data(), (t) => 24 * t),
    { rtol: 1e-14 },
  );
  assert.ok(tapir.gradcheck(once(once(once((t) => t.sin().mul(t)))), [x], { order: 2 }));
});

test("a tangent lives as long as any result: it depends on no variable of the call", () => {
  const x = tensor([0.5, 1], { dtype: "float64" });
  const tangents = Array.from({ length: 5 }, () => jvp((z: tapir.Tensor) => z.tanh(), x, x)[1] as tapir.Tensor);
  assert.not.ok(tangents[0].requiresGrad);
  assert.equal(tangents[0].toArray(), tangents[4].toArray());
});

test("backward() through a gradient reaches weights, as a penalty on it needs, and no variable of grad()", () => {
  const w = tensor([[1, -2], [0.5, 3]], { dtype: "float64", requiresGrad: true }); // biome-ignore format: a matrix
  const x = tensor([[1, 2]], { dtype: "float64" });
  const penalty = (weight: tapir.Tensor): tapir.Tensor => (grad((z: tapir.Tensor) => z.matmul(weight).square().sum())(x) as tapir.Tensor).square().sum();
  penalty(w).backward();
  // d/dw of |2 x w w'|^2 by differences
  const dw = (w.grad as tapir.Tensor).data();
  for (let i = 0; i < 4; i++) {
    const moved = (h: number): number => {
      const elements = w.data();
      elements[i] += h;
      return penalty(tensor(elements, { dtype: "float64" }).reshape([2, 2])).item();
    };
    const difference = (moved(1e-4) - moved(-1e-4)) / 2e-4;
    assert.ok(Math.abs(difference - dw[i]) < 1e-5 * Math.abs(difference) + 1e-6, `${difference} ${dw[i]}`);
  }
});

test.run();
