// Trees: a tensor, or arrays and plain objects of trees.
import { Tensor } from "../../bindings/tensor.js";

export type Tree = Tensor | readonly Tree[] | { readonly [name: string]: Tree };

/** The same tree with each leaf replaced; what is neither leaf nor container stays. */
export function mapLeaves<L>(value: unknown, isLeaf: (value: unknown) => value is L, fn: (leaf: L) => unknown): unknown {
  if (isLeaf(value)) return fn(value);
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, isLeaf, fn));
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapLeaves(item, isLeaf, fn)]));
  }
  return value;
}

/** The same tree with each tensor replaced. */
export function mapTree<T>(value: T, fn: (t: Tensor) => Tensor): T {
  return mapLeaves(value, (leaf): leaf is Tensor => leaf instanceof Tensor, fn) as T;
}
