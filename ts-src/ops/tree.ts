// Trees: a tensor, or arrays and plain objects of trees.
import { Tensor } from "../../bindings/tensor.js";

export type Tree = Tensor | readonly Tree[] | { readonly [name: string]: Tree };

/** The same tree with each tensor replaced; what is neither tensor nor container stays. */
export function mapTree<T>(value: T, fn: (t: Tensor) => Tensor): T {
  if (value instanceof Tensor) return fn(value) as T;
  if (Array.isArray(value)) return value.map((item) => mapTree(item, fn)) as T;
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTree(item, fn)])) as T;
  }
  return value;
}
