// Checks of options that come from outside.

import { ConfigError, DtypeError, GradientError, ShapeError } from "../../bindings/errors.js";
import { type Shape, sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { isRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";

/** How the losses of elements become one: "none" keeps them. */
export type Reduction = "none" | "sum" | "mean";

export const reductions: readonly Reduction[] = ["none", "sum", "mean"];

function shown(value: unknown): string {
  return value instanceof Tensor ? "a tensor" : typeof value === "number" ? String(value) : showValue(value);
}

/** The options, {} if none came; throws ConfigError for what is no plain object and for an unknown name. */
export function checkedOptions<T extends object>(op: string, options: T | undefined, known: readonly (keyof T & string)[]): T {
  if (options === undefined) return {} as T;
  if (options === null || typeof options !== "object" || Array.isArray(options) || options instanceof Tensor) {
    throw new ConfigError(`${op}: expected an object of options (${known.join(", ")}); got ${shown(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) throw new ConfigError(`${op}: expected options ${known.join(", ")}; got ${name}`);
  }
  return options;
}

/** A number in low..high, both included unless `open`, which rules out `low`. */
export function checkedNumber(op: string, name: string, value: unknown, low: number, high: number, open = false): number {
  if (typeof value === "number" && (open ? value > low : value >= low) && value <= high) return value;
  const from = low === Number.NEGATIVE_INFINITY ? "" : open ? ` above ${low}` : ` from ${low}`;
  const to = high === Number.POSITIVE_INFINITY ? "" : ` to ${high}`;
  throw new ConfigError(`${op}: expected a number${from}${to} for ${name}; got ${shown(value)}`);
}

export function checkedFlag(op: string, name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new ConfigError(`${op}: expected true or false for ${name}; got ${shown(value)}`);
  return value;
}

export function checkedReduction<R extends string = Reduction>(
  op: string,
  value: unknown,
  known: readonly R[] = reductions as readonly string[] as readonly R[],
): R {
  if (!known.includes(value as R)) throw new ConfigError(`${op}: expected reduction ${known.join(", ")}; got ${shown(value)}`);
  return value as R;
}

/** Throws GradientError if a gradient is wanted for an operand for which the op has none. */
export function checkedConstant(op: string, name: string, value: Tensor): void {
  if (!value.requiresGrad || !isRecording()) return;
  throw new GradientError(`${op}: expected ${name} without gradient, as there is no derivative for it; got one that requires it; pass ${name}.detach()`);
}

/** A tensor of the dtype of x and of this shape, or null. */
export function checkedPart(op: string, name: string, value: Tensor | null | undefined, x: Tensor, shape: Shape): Tensor | null {
  if (value === null || value === undefined) return null;
  if (!(value instanceof Tensor)) throw new DtypeError(`${op}: expected a tensor or null for ${name}; got ${shown(value)}`);
  value.alive(`${op}: ${name}`);
  if (value.dtype !== x.dtype)
    throw new DtypeError(`${op}: expected ${name} of dtype ${x.dtype}, as x has; got ${value.dtype}; convert it with .to("${x.dtype}")`);
  if (!sameShape(value.shape, shape)) throw new ShapeError(`${op}: expected ${name} of shape ${showShape(shape)}; got ${showShape(value.shape)}`);
  return value;
}
