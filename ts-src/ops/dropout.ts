// Dropout: elements set to 0 at random, by a mask that is never stored.
import { scratch } from "../../bindings/memory.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import type { Cut } from "../../bindings/split.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand } from "./batching.js";
import { mul } from "./binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "./checks.js";
import { ne } from "./compare.js";
import { full } from "./create.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { type Key, NO_KEY, nextKey } from "./random.js";
import { where } from "./select.js";

export interface DropoutOptions {
  /** Probability that an element is set to 0; 0.5 by default. */
  p?: number;
  /** false leaves x as it is; true by default. */
  training?: boolean;
}

interface Params {
  readonly p: number;
  readonly key: Key;
  /** Number of the first element; 0 by default. */
  readonly first?: number;
}

const SCRATCH = 384; // bytes, see assembly/random.ts

/**
 * Dropout (Srivastava et al. 2014): each element 0 with probability p, else x / (1 - p). The mask is a function of the
 * seed, the call and the element, so the derivative draws the same one again. Throws ConfigError for p outside 0..1.
 */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  checkedTensor("dropout", "x", x);
  const { p = 0.5, training = true } = checkedOptions("dropout", options, ["p", "training"]);
  checkedNumber("dropout", "p", p, 0, 1);
  checkedFlag("dropout", "training", training);
  floatDtype("dropout", { x });
  return dropped(x, { p: training ? p : 0, key: training && p > 0 ? nextKey() : NO_KEY });
}
function dropped(x: Tensor, params: Params): Tensor {
  return apply(dropoutOp, { x }, params);
}
/** Elements are drawn 32 at a time, see assembly/random.ts: a part begins with whole blocks. */
const BLOCK = 32;
function blocks(_x: unknown, y: Tensor, params: Params): Cut<"x"> | undefined {
  if (y.ndim === 0 || y.size === 0) return undefined;
  const row = y.size / y.shape[0];
  let step = 1;
  while ((step * row) % BLOCK !== 0) step *= 2;
  return { y: 0, operands: { x: 0 }, step, params: (from): Params => ({ ...params, first: from * row }) };
}
const dropoutOp = op({
  name: "dropout",
  inputs: ["x"],
  split: blocks,
  batch: (batch) => {
    if (batch.different) return batch.again(everyOperand(batch));
    // one mask for all examples
    const { params, shapes, inputs } = batch;
    const mask = batch.again({ x: full(shapes.x, 1, { dtype: batch.y.dtype }) });
    return where(ne(mask, 0), mul(inputs.x, params.p === 1 ? 0 : 1 / (1 - params.p)), 0);
  },
  shape: (s: { x: Spec }, _params: Params) => ({ shape: s.x.shape, dtype: floatDtype("dropout", s) }),
  kernel(k, { x }, y, { p, key, first = 0 }) {
    const threshold = Math.min(0xffffffff, Math.round(p * 2 ** 32));
    k.dropout(y.ptr, x.ptr, y.size, first, threshold, p === 1 ? 0 : 1 / (1 - p), key.seed, key.low, key.high, scratch(SCRATCH));
  },
  saves: [],
  // linear in x with a diagonal of fixed numbers: its derivative is itself
  vjp: (dy, _, { params }) => ({ x: () => dropped(dy, params) }),
  samples: [
    (draw) => ({
      inputs: { x: { shape: draw.shape() } },
      params: { p: draw.pick([0, 0.3, 0.5, 1]), key: { seed: draw.integer(0, 99), low: draw.integer(0, 99), high: 0 } },
    }),
  ],
});
