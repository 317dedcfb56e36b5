// Bounds of clamp, as they come from outside.

import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, DtypeError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { holds } from "./operands.js";

/** A bound that is null or left out is open. */
export type Bound = number | null;
/** Of clamp also a tensor, which broadcasts. */
export type AnyBound = Bound | Tensor;
export type Bounds = { readonly low: number; readonly high: number };

/** Both bounds as numbers; open ones are the ends of the dtype. */
export function bounds(name: string, x: Tensor, lo: Bound | undefined, hi: Bound | undefined): Bounds {
  for (const [key, value] of Object.entries({ lo, hi })) {
    if (value !== null && value !== undefined && typeof value !== "number") {
      throw new ConfigError(`${name}: expected a number or null for ${key}; got ${showValue(value)}`);
    }
    if (typeof value === "number" && Number.isFinite(value) && !isFloat(x.dtype) && !holds(x.dtype, value)) {
      throw new DtypeError(`${name}: expected a bound ${key} that ${x.dtype} holds; got ${value}; convert the tensor with .to("float32")`);
    }
  }
  if ((lo ?? null) === null && (hi ?? null) === null) throw new ConfigError(`${name}: expected at least one bound; got ${String(lo)} and ${String(hi)}`);
  const low = lo ?? Number.NEGATIVE_INFINITY;
  const high = hi ?? Number.POSITIVE_INFINITY;
  if (x.dtype !== "int32") return { low, high };
  if (Number.isNaN(low) || Number.isNaN(high)) throw new DtypeError(`${name}: expected bounds that int32 holds; got ${low} and ${high}`);
  // kernels take int32: the ends of its range stand for infinity
  const within = (bound: number): number => Math.max(-(2 ** 31), Math.min(bound, 2 ** 31 - 1));
  return { low: within(low), high: within(high) };
}
