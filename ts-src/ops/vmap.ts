// A function of one example as a function of a batch.

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import { showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { stack } from "./join.js";
import { slice } from "./slice.js";
import { mapTree, type Tree } from "./tree.js";

/**
 * f over the first axis of every tensor in its arguments, results stacked along a new first axis: vmap(f)(xs)[i] = f(xs[i]).
 * Examples are computed one after the other. Throws ConfigError, ShapeError unless all have the same number of examples, one or more.
 */
export function vmap<A extends readonly Tree[], R extends Tree>(f: (...xs: A) => R): (...xs: A) => R {
  if (typeof f !== "function") throw new ConfigError(`vmap: expected a function; got ${showValue(f)}`);
  return (...xs) => {
    const found = tensorsIn(xs);
    if (found.length === 0) throw new ConfigError("vmap: expected a tensor, or an array or object of tensors, among the arguments; got none");
    for (const t of found) {
      t.alive("vmap");
      if (t.ndim === 0 || t.shape[0] !== found[0].shape[0] || t.shape[0] === 0) {
        throw new ShapeError(
          `vmap: expected the same number of examples, one or more, along the first axis of every tensor; got ${found.map((each) => showShape(each.shape)).join(", ")}`,
        );
      }
    }
    return scope(() => {
      const results = Array.from({ length: found[0].shape[0] }, (_, i) => f(...(mapTree(xs, (t) => slice(t, i)) as unknown as A)));
      const parts = results.map((result) => tensorsIn(result));
      if (parts[0].length === 0) throw new ConfigError(`vmap: expected a function that returns tensors; got ${showValue(results[0])}`);
      let next = 0;
      return mapTree(results[0], (_: Tensor) => {
        const which = next++;
        return stack(parts.map((tensors) => tensors[which]));
      });
    });
  };
}
