// How the convolutions divide their scratch. Sizes are summed in f64, so that one that cannot be is seen to be too large.
import { LANES } from "../vector";
import { COLUMNS } from "../gemm/tile";

/** Largest block of the inner size: a panel takes 16 KiB, as in the matrix product. */
// @ts-ignore: decorator
@inline export const BLOCK_K: i32 = 128 * LANES;
/** Rows of a block, a multiple of every tile height: what one panel is swept over before the next. */
// @ts-ignore: decorator
@inline export const BLOCK_M: i32 = 192;
/** Elements that `direct` makes at a time: four vectors. */
// @ts-ignore: decorator
@inline export const DIRECT: i32 = 4 * LANES;
/** Panels need this many rows more than their block: stores of whole vectors run over the end. */
// @ts-ignore: decorator
@inline const SLACK_ROWS: i32 = 4;

/** Least number of rows for which a panel pays; fewer (depthwise) are made without. */
// @ts-ignore: decorator
@inline export const LEAST_ROWS: i32 = 4;

// @ts-ignore: decorator
@inline function rounded(bytes: f64): f64 {
  return ceil(bytes / 64) * 64;
}

/** Bytes of n elements, whole cache lines. */
// @ts-ignore: decorator
@inline export function regionBytes(n: f64): f64 {
  return rounded(n * <f64>sizeof<real>());
}

/** Start values of the sums: the bias, or a row of zeros. */
// @ts-ignore: decorator
@inline export function startBytes(outChannels: i32): f64 {
  return regionBytes(<f64>(outChannels + 1) * <f64>COLUMNS);
}

/** A column of tiles that is not stored as it is. */
// @ts-ignore: decorator
@inline export function edgeBytes(rows: i32): f64 {
  return regionBytes(<f64>max(rows, DIRECT / COLUMNS) * <f64>COLUMNS);
}

/** A table of n offsets. */
// @ts-ignore: decorator
@inline export function tableBytes(n: f64): f64 {
  return rounded(n * 4);
}

// @ts-ignore: decorator
@inline export function panelBytes(): f64 {
  return regionBytes(<f64>(BLOCK_K + SLACK_ROWS) * <f64>COLUMNS);
}

/** A padded image of one group; vectors may be read beyond its end. */
// @ts-ignore: decorator
@inline export function paddedBytes(channels: i32, rows: i32, rowElements: i32): f64 {
  return regionBytes(<f64>channels * <f64>rows * <f64>rowElements + <f64>(2 * DIRECT));
}

/** Packed weights, or a block of packed dy. */
// @ts-ignore: decorator
@inline export function packedBytes(inputs: i32, outs: i32, outChannels: i32, area: f64): f64 {
  return regionBytes(max(<f64>outChannels * <f64>inputs * area, <f64>outs * <f64>BLOCK_K));
}
