// How the work of ops divides between threads, for ops that have it in common: see `split` in bindings/op.ts.
import { type Cut, lineStep } from "../../bindings/split.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Reduced } from "./axes.js";

/** The first axis that can be cut, so that each part of a contiguous tensor is contiguous. */
function firstAxis(t: Tensor): number {
  return t.shape.findIndex((size) => size !== 1);
}

function rows<I extends string>(names: readonly I[]): Cut<I> {
  const operands: { [name in I]?: number } = {};
  for (const name of names) operands[name] = 0;
  return { y: 0, operands };
}

/** Rows, images or matrices along the first axis of the output and of `names`; the other operands are read whole. */
export function leadingRows<I extends string>(...names: I[]) {
  return (): Cut<I> => rows(names);
}

/** The same where elements along `axis` depend on each other. */
export function rowsBeside<I extends string>(...names: I[]) {
  return (_x: unknown, _y: Tensor, { axis }: { readonly axis: number }): Cut<I> | undefined => (axis === 0 ? undefined : rows(names));
}

/** The same where elements of the last `inner` axes depend on each other. */
export function rowsBefore<I extends string>(inner: number, ...names: I[]) {
  return (_x: unknown, y: Tensor): Cut<I> | undefined => (y.ndim > inner ? rows(names) : undefined);
}

/**
 * A reduction of x: the first axis that is kept. Only where the reduced axes are neighbours: with a kept axis between them that a
 * part has one element of, they would count as one, and be added in another order.
 */
export function reducedRows({ x }: { readonly x: Tensor }, y: Tensor, { axes, keepdims }: Reduced): Cut<"x"> | undefined {
  const axis = firstAxis(y);
  const long = axes.filter((i) => x.shape[i] !== 1);
  const between = x.shape.some((size, i) => size !== 1 && !axes.includes(i) && i > Math.min(...long) && i < Math.max(...long));
  if (axis < 0 || between) return undefined;
  const kept = x.shape.map((_, i) => i).filter((i) => keepdims || !axes.includes(i));
  return { y: axis, operands: { x: kept[axis] }, step: axis === y.ndim - 1 ? lineStep(y.dtype) : 1 };
}
