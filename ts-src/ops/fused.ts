// What the declarations of fused derivatives dx[i] = f(dy[i], x[i]) share, and options that are numbers.

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import type { Spec } from "../../bindings/op.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { checkedOptions } from "./checks.js";
import { floatDtype } from "./operands.js";

/** Shape and dtype of dy and x, which have the same. */
export function pairSpec(name: string, x: { dy: Spec; x: Spec }): Spec {
  if (!sameShape(x.dy.shape, x.x.shape)) {
    throw new ShapeError(`${name}: expected dy and x of one shape; got ${showShape(x.dy.shape)} and ${showShape(x.x.shape)}`);
  }
  return { shape: x.x.shape, dtype: floatDtype(name, x) };
}

/** The common part of a derivative without parameters. */
export function pairGrad(name: "absGrad" | "squareGrad" | "siluGrad" | "geluGrad" | "geluTanhGrad" | "mishGrad") {
  return {
    name,
    split: "elements",
    inputs: ["dy", "x"],
    batch: leading,
    shape: (x: { dy: Spec; x: Spec }): Spec => pairSpec(name, x),
    kernel: (k: Kernels, x: { dy: Tensor; x: Tensor }, dx: Tensor): void => k[name](dx.ptr, x.dy.ptr, x.x.ptr, dx.size),
  } as const;
}

/** Options that are finite numbers, with their defaults. Throws ConfigError. */
export function numberOptions<N extends string>(
  op: string,
  options: { readonly [name in N]?: number } | undefined,
  defaults: { readonly [name in N]: number },
): { [name in N]: number } {
  const chosen = checkedOptions(op, options, Object.keys(defaults) as N[]);
  const result: { [name in N]: number } = { ...defaults };
  for (const name in defaults) {
    const value: unknown = chosen[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value)) throw new ConfigError(`${op}: expected a finite number for ${name}; got ${showValue(value)}`);
    result[name] = value;
  }
  return result;
}
