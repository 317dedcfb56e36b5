// Sequences of different lengths without their padding, as recurrent layers read them: the rows of all first steps, then of all
// second ones ..., longest sequence first.

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import { full, tensor } from "../ops/create.js";
import { indexSelect } from "../ops/gather.js";
import { concat } from "../ops/join.js";
import { checkedTensor } from "../ops/operands.js";
import { reshape, transpose } from "../ops/shape.js";

export interface PackedSequence {
  /** [sum of the lengths, ...] */
  readonly data: Tensor;
  /** How many sequences reach each step. */
  readonly batchSizes: readonly number[];
  /** The number that each sequence, longest first, has in the batch. */
  readonly sortedIndices: readonly number[];
}

export function isPacked(x: unknown): x is PackedSequence {
  return x !== null && typeof x === "object" && !(x instanceof Tensor) && "data" in x && "batchSizes" in x && "sortedIndices" in x;
}

/** Where each sequence of a batch stands in the order of `sorted`. */
export function inverse(sorted: readonly number[]): number[] {
  const places = new Array<number>(sorted.length);
  for (const [place, i] of sorted.entries()) places[i] = place;
  return places;
}

/** Rows by number along an axis, or all in their order. */
export function rowsInOrder(x: Tensor, order: readonly number[], axis: number): Tensor {
  return order.every((i, place) => i === place) ? x : indexSelect(x, tensor(Int32Array.from(order)), { axis });
}

function checkedLengths(lengths: unknown, batch: number, steps: number, enforceSorted: boolean): number[] {
  const name = "packPaddedSequence";
  const given: unknown = lengths instanceof Tensor ? lengths.toArray() : lengths;
  if (!Array.isArray(given)) throw new ConfigError(`${name}: expected lengths as an array or a tensor; got ${showValue(lengths)}`);
  if (given.length !== batch) throw new ShapeError(`${name}: expected a length for each of ${batch} sequences; got ${given.length}`);
  for (const n of given) {
    if (!Number.isInteger(n) || n < 1 || n > steps) throw new ConfigError(`${name}: expected lengths from 1 to ${steps}; got ${showValue(n)}`);
  }
  if (enforceSorted && given.some((n, i) => i > 0 && n > given[i - 1])) {
    throw new ConfigError(`${name}: expected lengths in descending order; got [${given}]; { enforceSorted: false } sorts them`);
  }
  return given;
}

/**
 * The first lengths[i] steps of each sequence i of x [T, B, ...], or [B, T, ...] with `batchFirst`. Lengths are numbers or an int32
 * tensor, in descending order unless `enforceSorted` is false. Throws ShapeError, ConfigError. As PyTorch's pack_padded_sequence.
 */
export function packPaddedSequence(
  x: Tensor,
  lengths: readonly number[] | Tensor,
  options: { batchFirst?: boolean; enforceSorted?: boolean } = {},
): PackedSequence {
  const name = "packPaddedSequence";
  checkedTensor(name, "x", x);
  const { batchFirst = false, enforceSorted = true } = checkedOptions(name, options, ["batchFirst", "enforceSorted"]);
  checkedFlag(name, "batchFirst", batchFirst);
  checkedFlag(name, "enforceSorted", enforceSorted);
  if (x.ndim < 2 || x.size === 0) throw new ShapeError(`${name}: expected x [T, B, ...] with at least one element; got ${showShape(x.shape)}`);
  const [steps, batch] = batchFirst ? [x.shape[1], x.shape[0]] : x.shape;
  const sizes = checkedLengths(lengths, batch, steps, enforceSorted);
  const sortedIndices = sizes.map((_, i) => i).sort((i, j) => sizes[j] - sizes[i]);
  const longest = sizes[sortedIndices[0]];
  const batchSizes = Array.from({ length: longest }, (_, t) => sizes.filter((n) => n > t).length);
  const rows = batchSizes.flatMap((n, t) => sortedIndices.slice(0, n).map((i) => (batchFirst ? i * steps + t : t * batch + i)));
  const data = scope(() => indexSelect(reshape(x, [steps * batch, ...x.shape.slice(2)]), tensor(Int32Array.from(rows))));
  return { data, batchSizes, sortedIndices };
}

/**
 * The sequences of a pack beside each other, [T, B, ...] or [B, T, ...] with `batchFirst`, `paddingValue` (0) where they have ended, and
 * their lengths. T is the longest, or `totalLength`. Throws ShapeError, ConfigError. As PyTorch's pad_packed_sequence.
 */
export function padPackedSequence(
  packed: PackedSequence,
  options: { batchFirst?: boolean; paddingValue?: number; totalLength?: number | null } = {},
): [padded: Tensor, lengths: number[]] {
  const name = "padPackedSequence";
  checkPacked(name, packed);
  const { batchFirst = false, paddingValue = 0, totalLength = null } = checkedOptions(name, options, ["batchFirst", "paddingValue", "totalLength"]);
  checkedFlag(name, "batchFirst", batchFirst);
  checkedNumber(name, "paddingValue", paddingValue, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const { data, batchSizes, sortedIndices } = packed;
  const steps = totalLength ?? batchSizes.length;
  if (!Number.isInteger(steps) || steps < batchSizes.length) {
    throw new ConfigError(`${name}: expected a totalLength of at least ${batchSizes.length}; got ${showValue(totalLength)}`);
  }
  const batch = sortedIndices.length;
  if (steps * batch > MOST_ROWS) throw new ConfigError(`${name}: expected a totalLength of at most ${Math.floor(MOST_ROWS / batch)}; got ${steps}`);
  const places = inverse(sortedIndices);
  const padding = data.shape[0];
  const rows = new Array<number>(steps * batch).fill(padding);
  let first = 0;
  for (const [t, n] of batchSizes.entries()) {
    for (const [i, place] of places.entries()) if (place < n) rows[t * batch + i] = first + place;
    first += n;
  }
  const padded = scope(() => {
    const last = full([1, ...data.shape.slice(1)], paddingValue, { dtype: data.dtype });
    const all = indexSelect(concat([data, last]), tensor(Int32Array.from(rows)));
    const wide = reshape(all, [steps, batch, ...data.shape.slice(1)]);
    return batchFirst ? transpose(wide, 0, 1) : wide;
  });
  return [padded, places.map((place) => batchSizes.filter((n) => n > place).length)];
}

/** Rows of a padded batch, all steps of all sequences: their numbers are made in JavaScript. */
const MOST_ROWS = 2 ** 26;

/** Throws ConfigError, ShapeError unless sizes and rows of a pack agree. */
export function checkPacked(name: string, packed: PackedSequence): void {
  if (!isPacked(packed)) throw new ConfigError(`${name}: expected a packed sequence, as packPaddedSequence gives; got ${showValue(packed)}`);
  const { data, batchSizes, sortedIndices } = packed;
  checkedTensor(name, "data", data);
  data.alive(name);
  for (const [field, list] of Object.entries({ batchSizes, sortedIndices })) {
    if (!Array.isArray(list)) throw new ConfigError(`${name}: expected ${field} of the packed sequence, a list of numbers; got ${showValue(list)}`);
  }
  const rows = batchSizes.reduce((sum, n) => sum + n, 0);
  const falling = batchSizes.every((n, t) => n >= 1 && n <= (t === 0 ? sortedIndices.length : batchSizes[t - 1]));
  const order = [...sortedIndices].sort((i, j) => i - j);
  if (!falling || batchSizes[0] !== sortedIndices.length || data.shape[0] !== rows || !sameShape(order, Array.from(order.keys()))) {
    throw new ShapeError(`${name}: expected a packed sequence with a row for each step of each sequence; got data ${showShape(data.shape)}`);
  }
}
