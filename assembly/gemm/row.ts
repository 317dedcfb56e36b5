// Products of one row: C[1,n] = start + A[1,k] op(B)[k,n]. Nothing is packed, as every element of B is used once.
// The same chains as in the register tile: acc = madd(a, b, acc) over ascending k.
import { LANES, at } from "../vector";
import { ELEMENT } from "./tile";

/** Columns that `rowDirect` makes at a time: eight vectors, as many chains as hide the latency of madd. */
// @ts-ignore: decorator
@inline const DIRECT_COLUMNS: i32 = 8 * LANES;
/** Columns that `rowTransposed` makes at a time: four vectors. */
// @ts-ignore: decorator
@inline const TRANSPOSED_COLUMNS: i32 = 4 * LANES;
/** The most that is read from `start` at a time. */
// @ts-ignore: decorator
@inline export const ROW_BYTES: usize = 128;

/** The leading columns of C, as many as the kernels below make; returns their number. start: C itself, or ROW_BYTES of zeros. */
export function row(
  c: usize, start: usize, a: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize, n: i32, k: i32,
): i32 {
  const add = start == c;
  let j = 0;
  if (bColumn == ELEMENT) {
    for (; j + DIRECT_COLUMNS <= n; j += DIRECT_COLUMNS) {
      rowDirect(c, add ? c : start, a, aStep, b, bStep, k);
      c += at(DIRECT_COLUMNS);
      b += at(DIRECT_COLUMNS);
    }
  } else if (k % LANES == 0) {
    for (; j + TRANSPOSED_COLUMNS <= n; j += TRANSPOSED_COLUMNS) {
      rowTransposed(c, add ? c : start, a, aStep, b, bColumn, k);
      c += at(TRANSPOSED_COLUMNS);
      b += bColumn * TRANSPOSED_COLUMNS;
    }
  }
  return j;
}

/** DIRECT_COLUMNS of C; B stored [k, n]. */
function rowDirect(c: usize, start: usize, a: usize, aStep: usize, b: usize, bStep: usize, k: i32): void {
  let c7 = v128.load(start, 112), c6 = v128.load(start, 96), c5 = v128.load(start, 80), c4 = v128.load(start, 64);
  let c3 = v128.load(start, 48), c2 = v128.load(start, 32), c1 = v128.load(start, 16), c0 = v128.load(start);
  for (; k > 0; k--) {
    const x = v128.load_splat<real>(a);
    c0 = madd(x, v128.load(b), c0);
    c1 = madd(x, v128.load(b, 16), c1);
    c2 = madd(x, v128.load(b, 32), c2);
    c3 = madd(x, v128.load(b, 48), c3);
    c4 = madd(x, v128.load(b, 64), c4);
    c5 = madd(x, v128.load(b, 80), c5);
    c6 = madd(x, v128.load(b, 96), c6);
    c7 = madd(x, v128.load(b, 112), c7);
    a += aStep;
    b += bStep;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  v128.store(c, c4, 64);
  v128.store(c, c5, 80);
  v128.store(c, c6, 96);
  v128.store(c, c7, 112);
}

/** TRANSPOSED_COLUMNS of C, k a multiple of LANES; B stored [n, k], LANES x LANES transposed in registers. */
function rowTransposed(c: usize, start: usize, a: usize, aStep: usize, b: usize, bColumn: usize, k: i32): void {
  const group = bColumn * <usize>LANES;
  let c3 = v128.load(start, 48), c2 = v128.load(start, 32), c1 = v128.load(start, 16), c0 = v128.load(start);
  for (; k > 0; k -= LANES) {
    c0 = maddTransposed(a, aStep, b, bColumn, c0);
    c1 = maddTransposed(a, aStep, b + group, bColumn, c1);
    c2 = maddTransposed(a, aStep, b + group * 2, bColumn, c2);
    c3 = maddTransposed(a, aStep, b + group * 3, bColumn, c3);
    a += aStep * <usize>LANES;
    b += 16;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

/** LANES links of LANES chains. */
// @ts-ignore: decorator
@inline function maddTransposed(a: usize, aStep: usize, b: usize, bColumn: usize, c: v128): v128 {
  const a1 = a + aStep, b1 = b + bColumn;
  const r0 = v128.load(b), r1 = v128.load(b1);
  if (sizeof<real>() == 8) {
    c = madd(v128.load_splat<real>(a), v128.shuffle<f64>(r0, r1, 0, 2), c);
    return madd(v128.load_splat<real>(a1), v128.shuffle<f64>(r0, r1, 1, 3), c);
  }
  const a2 = a1 + aStep, a3 = a2 + aStep, b2 = b1 + bColumn, b3 = b2 + bColumn;
  const r2 = v128.load(b2), r3 = v128.load(b3);
  const low0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), high0 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const low1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5), high1 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  c = madd(v128.load_splat<real>(a), v128.shuffle<f64>(low0, low1, 0, 2), c);
  c = madd(v128.load_splat<real>(a1), v128.shuffle<f64>(low0, low1, 1, 3), c);
  c = madd(v128.load_splat<real>(a2), v128.shuffle<f64>(high0, high1, 0, 2), c);
  return madd(v128.load_splat<real>(a3), v128.shuffle<f64>(high0, high1, 1, 3), c);
}
