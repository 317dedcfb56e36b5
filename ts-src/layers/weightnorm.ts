// Weight normalisation.

import { ConfigError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { div, mul } from "../ops/binary.js";
import { checkedOptions } from "../ops/checks.js";
import { clone } from "../ops/convert.js";
import { noGrad } from "../ops/derivatives.js";
import { norm } from "../ops/norm.js";
import { abs } from "../ops/unary.js";
import { type AnyModule, Module } from "./module.js";

export interface WeightNormOptions {
  /** Of the tensor; "weight" by default. */
  name?: string;
  /** The axis along which norms are kept apart; null: one norm for all. 0 by default. */
  dim?: number | null;
}

/** The norm of w over all axes but one, whose size is kept. */
function normExcept(w: Tensor, dim: number | null): Tensor {
  const axis = w.shape.map((_, i) => i).filter((i) => i !== dim);
  return axis.length === 0 ? abs(w) : norm(w, { axis, keepdims: dim !== null });
}

/**
 * Writes a weight as w = g v / |v| (Salimans and Kingma 2016, equation 2), the norm over all axes but `dim`: its parameter becomes the two
 * weight_g and weight_v, PyTorch's names, of which the weight is computed when it is read. Answers the module.
 * Throws ConfigError where there is no such parameter.
 */
export function weightNorm<M extends AnyModule>(module: M, options: WeightNormOptions = {}): M {
  const { name = "weight", dim = 0 } = checkedOptions("weightNorm", options, ["name", "dim"]);
  if (!(module instanceof Module)) throw new ConfigError(`weightNorm: expected a module; got ${showValue(module)}`);
  const property = Object.getOwnPropertyDescriptor(module, name);
  const w: unknown = property?.value;
  if (!(w instanceof Tensor) || !w.requiresGrad) {
    const found = property?.get === undefined ? showValue(w) : "one that is normalised already";
    throw new ConfigError(`weightNorm: expected a parameter ${showValue(name)} of the module; got ${found}`);
  }
  if (dim !== null && !(Number.isInteger(dim) && dim >= 0 && dim < w.ndim)) {
    throw new ConfigError(`weightNorm: expected dim from 0 to ${w.ndim - 1}, or null; got ${showValue(dim)}`);
  }
  const [g, v] = [`${name}_g`, `${name}_v`];
  const parts = { [g]: keep(noGrad(() => normExcept(w, dim))), [v]: keep(noGrad(() => clone(w))) };
  for (const part of Object.values(parts)) part.requiresGrad = true;
  Object.assign(module, parts);
  // not among the properties that state and children are read from; `this` is the copy in a copy of the module
  Object.defineProperty(module, name, {
    configurable: true,
    enumerable: false,
    get(this: Record<string, Tensor>): Tensor {
      return mul(this[v], div(this[g], normExcept(this[v], dim)));
    },
  });
  return module;
}
