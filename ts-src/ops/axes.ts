// Options of reductions, checked, and the shapes that follow from them.

import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import type { Draw, Sample } from "../../bindings/op.js";
import { checkedAxis, type Shape, showShape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "./checks.js";
import { checkedTensor } from "./operands.js";

export interface ReduceOptions {
  /** The axis or axes to reduce; negatives count from the end; all by default, none for an empty list. */
  axis?: number | readonly number[];
  /** Keep the reduced axes with size 1. */
  keepdims?: boolean;
}

/** What an op of a reduction is called with: axes in rising order. */
export interface Reduced {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}

function shown(value: unknown): string {
  return Array.isArray(value) ? "a list" : showValue(value);
}

/** One axis; a tensor without axes has axis 0 (or -1), as in PyTorch, which is undefined here. */
export function checkedOneAxis(op: string, axis: unknown, ndim: number): number | undefined {
  if (typeof axis !== "number") throw new ShapeError(`${op}: expected an axis; got ${shown(axis)}`);
  if (ndim === 0 && (axis === 0 || axis === -1)) return undefined;
  return checkedAxis(op, axis, ndim);
}

/** The axes of a reduction. Throws ShapeError for a wrong or repeated axis, ConfigError for other options. */
export function checkedReduced<O extends ReduceOptions>(op: string, x: Tensor, options: O, more: readonly (keyof O & string)[] = []): Reduced {
  checkedTensor(op, "x", x);
  x.alive(op);
  checkedOptions(op, options, ["axis", "keepdims", ...more]);
  const { axis, keepdims = false } = options;
  if (typeof keepdims !== "boolean") throw new ConfigError(`${op}: expected true or false for keepdims; got ${shown(keepdims)}`);
  if (axis === undefined) return { axes: x.shape.map((_, i) => i), keepdims };
  if (typeof axis !== "number" && !Array.isArray(axis)) throw new ShapeError(`${op}: expected an axis or a list of axes; got ${shown(axis)}`);
  const axes: number[] = [];
  for (const one of typeof axis === "number" ? [axis] : axis) {
    const checked = checkedOneAxis(op, one, x.ndim);
    if (checked !== undefined) axes.push(checked);
  }
  if (new Set(axes).size !== axes.length) throw new ShapeError(`${op}: expected each axis once; got ${showShape(axes)}`);
  return { axes: axes.sort((a, b) => a - b), keepdims };
}

/** Elements that go into one output. */
export function reducedSize(shape: Shape, axes: readonly number[]): number {
  return sizeOf(axes.map((axis) => shape[axis]));
}

/** The shape with the reduced axes as 1. */
export function keptShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((n, i) => (axes.includes(i) ? 1 : n));
}

export function reducedShape(shape: Shape, { axes, keepdims }: Reduced): number[] {
  return keepdims ? keptShape(shape, axes) : shape.filter((_, i) => !axes.includes(i));
}

/** Throws ShapeError where there is nothing to pick from. */
export function checkedSomething(op: string, x: Tensor, axes: readonly number[]): void {
  if (reducedSize(x.shape, axes) === 0) throw new ShapeError(`${op}: expected at least one element to reduce; got shape ${showShape(x.shape)}`);
}

/** Throws DtypeError unless the dtype is a float or int32. */
export function checkedNumbers(op: string, x: Tensor): void {
  if (x.dtype === "uint8" || x.dtype === "bool") {
    throw new DtypeError(`${op}: expected x of dtype float32, float64 or int32; got ${x.dtype}; convert it with .to("int32")`);
  }
}

/** For samples: a shape and some of its axes, which hold at least `least` elements. */
export function drawnReduction(draw: Draw, least = 0): { shape: number[]; params: Reduced } {
  for (;;) {
    const shape = draw.shape();
    const axes = shape.map((_, i) => i).filter(() => draw.pick([true, true, false]));
    if (reducedSize(shape, axes) >= least) return { shape, params: { axes, keepdims: draw.pick([true, false]) } };
  }
}

/** For samples: values of any order, at least `gap` from each other and from 0. */
export function distinct(draw: Draw, shape: Shape, gap: number): { values: number[]; shape: Shape; dtype: "float64" } {
  const values = Array.from({ length: sizeOf(shape) }, (_, i) => (i % 2 === 0 ? 1 : -1) * gap * (i / 2 + 1));
  for (let i = values.length - 1; i > 0; i--) {
    const j = draw.integer(0, i);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return { values, shape, dtype: "float64" };
}

/** A sample of an op of one operand x and the parameters of a reduction. */
export function anyReduction(options: { least?: number; gap?: number; low?: number; high?: number } = {}): (draw: Draw) => Sample<"x", Reduced> {
  return (draw) => {
    const { shape, params } = drawnReduction(draw, options.least);
    const { low, high } = options;
    const x =
      options.gap !== undefined ? distinct(draw, shape, options.gap) : { shape, ...(low !== undefined && { low }), ...(high !== undefined && { high }) };
    return { inputs: { x }, params };
  };
}
