// What the constructors of layers share: checks of sizes, and tensors that last as long as the module.
import { keep } from "../../bindings/lifetime.js";
import type { Shape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { type CreateOptions, full } from "../ops/create.js";
import { uniform } from "../ops/random.js";
import { checkedWhole } from "../ops/window.js";

/** Dtype of parameters and statistics, float32 by default. */
export type LayerDtype = CreateOptions["dtype"];

/** Axes count from -MOST_AXES on in options; whether x has them is seen when it comes. */
export const MOST_AXES = 64;

/** Throws ConfigError unless all are whole numbers from 1 on. */
export function checkedSizes(layer: string, sizes: { readonly [name: string]: unknown }): void {
  for (const [name, n] of Object.entries(sizes)) checkedWhole(layer, name, n, 1);
}

/** A parameter that starts uniform in +-bound. */
export function uniformParameter(shape: Shape, bound: number, dtype: LayerDtype): Tensor {
  return keep(uniform(shape, -bound, bound, { dtype, requiresGrad: true }));
}

export function constantParameter(shape: Shape, value: number, dtype: LayerDtype): Tensor {
  return keep(full(shape, value, { dtype, requiresGrad: true }));
}

export function buffer(shape: Shape, value: number, dtype: LayerDtype): Tensor {
  return keep(full(shape, value, { dtype }));
}
