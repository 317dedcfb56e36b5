// Derivatives against finite differences, in random directions (after HIPS autograd's check_grads).

import { ConfigError, DtypeError, GradientError } from "../../bindings/errors.js";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, mul } from "./binary.js";
import { checkedOptions } from "./checks.js";
import { to } from "./convert.js";
import { fromBytes } from "./create.js";
import { grad, noGrad } from "./derivatives.js";
import { checkedTensor } from "./operands.js";
import { checkedSeed, randomBits } from "./random.js";
import { sum } from "./reduce.js";
import type { Tree } from "./tree.js";

export interface GradcheckOptions {
  /** 1 (default) for first derivatives, 2 for second ones too, 3 for third ones, and so on. */
  order?: number;
  /** Largest difference relative to the larger of the two numbers; 1e-6 by default. */
  rtol?: number;
  /** Largest absolute difference that passes; 1e-8 by default. */
  atol?: number;
  /** Seed of the directions; 0 by default. */
  seed?: number;
}

/**
 * Compares grad(sum(f u)) with central differences of f in random directions v, for each argument and a random u; for order 2
 * the derivative of that derivative too, for each pair of arguments; and from order 3 on that of the derivative along a random
 * direction of all arguments, which has every mixed one in it. Arguments must be float64. Answers true.
 * Throws GradientError that names the order, the argument and both numbers.
 */
export function gradcheck(f: (...xs: Tensor[]) => Tree, xs: readonly Tensor[], options: GradcheckOptions = {}): boolean {
  if (typeof f !== "function") throw new ConfigError(`gradcheck: expected a function; got ${showValue(f)}`);
  if (!Array.isArray(xs)) throw new ConfigError(`gradcheck: expected an array of tensors, the arguments; got ${showValue(xs)}`);
  checkedOptions("gradcheck", options, ["order", "rtol", "atol", "seed"]);
  const { order = 1, rtol = 1e-6, atol = 1e-8, seed = 0 } = options;
  for (const [name, value] of Object.entries({ rtol, atol })) {
    if (typeof value !== "number" || !(value >= 0)) throw new ConfigError(`gradcheck: expected ${name} >= 0; got ${showValue(value)}`);
  }
  if (!Number.isInteger(order) || order < 1) throw new ConfigError(`gradcheck: expected a whole order from 1; got ${showValue(order)}`);
  checkedSeed("gradcheck", seed);
  for (const [i, x] of xs.entries()) checkedTensor("gradcheck", `argument ${i}`, x);
  for (const x of xs) if (x.dtype === "float32") throw new DtypeError("gradcheck: expected float64 arguments, as differences need them; got float32");
  let stream = 0;
  const direction = (like: Tensor): Tensor => uniformLike(like, seed, stream++);
  return scope(() => {
    const ys = noGrad(() => tensorsIn(f(...xs)));
    const weights = ys.map(direction);
    const scalar = (...args: Tensor[]): Tensor => weighted(tensorsIn(f(...args)), weights);
    for (const [i, x] of xs.entries()) {
      if (x.dtype !== "float64") continue;
      compare(scalar, xs, i, direction(x), { rtol, atol, order: 1 });
      if (order === 1) continue;
      const w = direction(x);
      const slope = (...args: Tensor[]): Tensor => weighted([grad(scalar, { wrt: i })(...args)], [w]);
      for (const [j, other] of xs.entries()) {
        if (other.dtype === "float64") compare(slope, xs, j, direction(other), { rtol, atol, order: 2 });
      }
    }
    const floats = xs.map((_, i) => i).filter((i) => xs[i].dtype === "float64");
    /** The derivative of g along a random direction of all arguments. */
    const along = (g: (...args: Tensor[]) => Tensor): ((...args: Tensor[]) => Tensor) => {
      const directions = floats.map((i) => direction(xs[i]));
      return (...args) => weighted(grad(g, { wrt: floats })(...args), directions);
    };
    let slope = order > 2 ? along(scalar) : scalar;
    for (let reached = 3; reached <= order; reached++) {
      slope = along(slope);
      for (const i of floats) compare(slope, xs, i, direction(xs[i]), { rtol, atol, order: reached });
    }
    return true;
  });
}

/** Uniform in [-1, 1), with 32 random bits an element; apart from the generator that programs use. */
function uniformLike(x: Tensor, seed: number, stream: number): Tensor {
  const bits = randomBits(x.size, seed, stream);
  const data = Float64Array.from(bits, (word) => word / 2 ** 31 - 1);
  return fromBytes(new Uint8Array(data.buffer), "float64", x.shape);
}

function weighted(ys: readonly Tensor[], weights: readonly Tensor[]): Tensor {
  let total: Tensor | undefined;
  for (const [i, y] of ys.entries()) {
    const part = sum(mul(to(y, "float64"), weights[i]));
    total = total === undefined ? part : add(total, part);
  }
  if (total === undefined) throw new GradientError("gradcheck: expected a function that returns a tensor; got none");
  return total;
}

function compare(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], index: number, v: Tensor, how: { rtol: number; atol: number; order: number }): void {
  const analytic = scope(() => sum(mul(grad(f, { wrt: index })(...xs), v)).item());
  const at = (t: number): number =>
    scope(() => {
      const args = [...xs];
      args[index] = noGrad(() => add(xs[index], mul(v, t)));
      return f(...args).item();
    });
  const numeric = derivative(at);
  const error = Math.abs(analytic - numeric);
  const scale = Math.max(Math.abs(analytic), Math.abs(numeric));
  if (!(error <= how.atol + how.rtol * scale)) {
    throw new GradientError(
      `gradcheck: order ${how.order}, argument ${index}: expected the derivative ${numeric} of central differences; got ${analytic} (rtol ${how.rtol})`,
    );
  }
}

/** f'(0) by central differences at three widths, extrapolated twice (Richardson): error O(h^6). */
function derivative(f: (t: number) => number): number {
  const h = 2 ** -7;
  const central = (width: number): number => (f(width) - f(-width)) / (2 * width);
  const [a, b, c] = [central(h), central(h / 2), central(h / 4)];
  const [p, q] = [(4 * b - a) / 3, (4 * c - b) / 3];
  return (16 * q - p) / 15;
}
