// Register tile: C[R, V vectors] = start + A[R, k] B[k, V vectors], the innermost loop of BLIS.
// Each element is one chain acc = madd(a, b, acc) over ascending k, so its bits do not depend on the tile it falls into.
// 6 x 2 fused: 12 sums, 2 vectors of B and 1 broadcast of A are the 15 registers that V8 hands out.
import { C, entryAddress } from "../constants";
import { LANES } from "../vector";

/** Bytes of one element. */
// @ts-ignore: decorator
@inline export const ELEMENT: usize = sizeof<real>();
/** Columns of a full tile: two vectors. */
// @ts-ignore: decorator
@inline export const COLUMNS: i32 = 2 * LANES;
/**
 * Columns of a tile where the engine runs pairs of vectors as one of 256 bits: 12 sums of 256 bits instead of 6, which their own
 * latency held at 83 of the 112 GFLOP/s that these reach. With vectors of 128 bits they would spill: 36 instead of 57.
 */
// @ts-ignore: decorator
@inline export const WIDE_COLUMNS: i32 = 4 * LANES;

/** Whether the engine runs pairs of vectors as one. */
// @ts-ignore: decorator
@inline export function wide(): bool {
  return load<i32>(entryAddress(C.wide)) != 0;
}

// Sizes and layouts as types: methods that fold to constants, so one source gives every tile without a branch.
export class One { @inline count(): i32 { return 1; } }
export class Two { @inline count(): i32 { return 2; } }
export class Four { @inline count(): i32 { return 4; } }
export class Six { @inline count(): i32 { return 6; } }

/** A in panels of R rows: the R elements of one k lie side by side. */
export class Packed { @inline packed(): bool { return true; } }
/** A where it is, any distance between rows and between columns. */
export class Strided { @inline packed(): bool { return false; } }

// @ts-ignore: decorator
@inline function count<N>(): i32 {
  return changetype<N>(0).count();
}

// @ts-ignore: decorator
@inline function packed<L>(): bool {
  return changetype<L>(0).packed();
}

/**
 * c: R rows cRow apart. start: what the chains begin with, rows startRow apart (C itself, or zeros with startRow = 0).
 * a: rows aRow and columns aStep apart (both ignored where packed). b: rows of V vectors, bStep apart.
 */
export function tile<R, V, L>(
  c: usize, cRow: usize, start: usize, startRow: usize,
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, k: i32,
): void {
  // The sums are born from the last to the first: TurboFan (V8 up to 12) places what flows around a loop in the opposite order,
  // so each broadcast stays next to its madds. Born from the first, all eight loads come before them and five registers spill.
  const zero = i64x2.splat(0);
  let c53 = zero, c52 = zero, c51 = zero, c50 = zero;
  let c43 = zero, c42 = zero, c41 = zero, c40 = zero;
  let c33 = zero, c32 = zero, c31 = zero, c30 = zero;
  let c23 = zero, c22 = zero, c21 = zero, c20 = zero;
  let c13 = zero, c12 = zero, c11 = zero, c10 = zero;
  let c03 = zero, c02 = zero, c01 = zero, c00 = zero;
  let x: v128, b0: v128, b1 = zero, b2 = zero, b3 = zero;
  start += startRow * <usize>(count<R>() - 1);
  if (count<R>() > 5) { if (count<V>() > 2) { c53 = v128.load(start, 48); c52 = v128.load(start, 32); } if (count<V>() > 1) c51 = v128.load(start, 16); c50 = v128.load(start); start -= startRow; }
  if (count<R>() > 4) { if (count<V>() > 2) { c43 = v128.load(start, 48); c42 = v128.load(start, 32); } if (count<V>() > 1) c41 = v128.load(start, 16); c40 = v128.load(start); start -= startRow; }
  if (count<R>() > 3) { if (count<V>() > 2) { c33 = v128.load(start, 48); c32 = v128.load(start, 32); } if (count<V>() > 1) c31 = v128.load(start, 16); c30 = v128.load(start); start -= startRow; }
  if (count<R>() > 2) { if (count<V>() > 2) { c23 = v128.load(start, 48); c22 = v128.load(start, 32); } if (count<V>() > 1) c21 = v128.load(start, 16); c20 = v128.load(start); start -= startRow; }
  if (count<R>() > 1) { if (count<V>() > 2) { c13 = v128.load(start, 48); c12 = v128.load(start, 32); } if (count<V>() > 1) c11 = v128.load(start, 16); c10 = v128.load(start); start -= startRow; }
  if (count<V>() > 2) { c03 = v128.load(start, 48); c02 = v128.load(start, 32); } if (count<V>() > 1) c01 = v128.load(start, 16); c00 = v128.load(start);

  const twoRows = aRow * 2;
  let a3 = a + aRow * 3; // rows 3, 4, 5 by a second pointer: two pointers and two distances instead of six pointers
  for (; k > 0; k--) {
    b0 = v128.load(b);
    if (count<V>() > 1) b1 = v128.load(b, 16);
    if (count<V>() > 2) { b2 = v128.load(b, 32); b3 = v128.load(b, 48); }
    x = v128.load_splat<real>(a);
    c00 = madd(x, b0, c00); if (count<V>() > 1) c01 = madd(x, b1, c01);
    if (count<V>() > 2) { c02 = madd(x, b2, c02); c03 = madd(x, b3, c03); }
    if (count<R>() > 1) {
      x = packed<L>() ? v128.load_splat<real>(a, 1 * sizeof<real>()) : v128.load_splat<real>(a + aRow);
      c10 = madd(x, b0, c10); if (count<V>() > 1) c11 = madd(x, b1, c11);
      if (count<V>() > 2) { c12 = madd(x, b2, c12); c13 = madd(x, b3, c13); }
    }
    if (count<R>() > 2) {
      x = packed<L>() ? v128.load_splat<real>(a, 2 * sizeof<real>()) : v128.load_splat<real>(a + twoRows);
      c20 = madd(x, b0, c20); if (count<V>() > 1) c21 = madd(x, b1, c21);
      if (count<V>() > 2) { c22 = madd(x, b2, c22); c23 = madd(x, b3, c23); }
    }
    if (count<R>() > 3) {
      x = packed<L>() ? v128.load_splat<real>(a, 3 * sizeof<real>()) : v128.load_splat<real>(a3);
      c30 = madd(x, b0, c30); if (count<V>() > 1) c31 = madd(x, b1, c31);
      if (count<V>() > 2) { c32 = madd(x, b2, c32); c33 = madd(x, b3, c33); }
    }
    if (count<R>() > 4) {
      x = packed<L>() ? v128.load_splat<real>(a, 4 * sizeof<real>()) : v128.load_splat<real>(a3 + aRow);
      c40 = madd(x, b0, c40); if (count<V>() > 1) c41 = madd(x, b1, c41);
      if (count<V>() > 2) { c42 = madd(x, b2, c42); c43 = madd(x, b3, c43); }
    }
    if (count<R>() > 5) {
      x = packed<L>() ? v128.load_splat<real>(a, 5 * sizeof<real>()) : v128.load_splat<real>(a3 + twoRows);
      c50 = madd(x, b0, c50); if (count<V>() > 1) c51 = madd(x, b1, c51);
      if (count<V>() > 2) { c52 = madd(x, b2, c52); c53 = madd(x, b3, c53); }
    }
    b += bStep;
    if (packed<L>()) a += <usize>count<R>() * ELEMENT;
    else { a += aStep; a3 += aStep; }
  }

  v128.store(c, c00); if (count<V>() > 1) v128.store(c, c01, 16); if (count<V>() > 2) { v128.store(c, c02, 32); v128.store(c, c03, 48); }
  if (count<R>() > 1) { c += cRow; v128.store(c, c10); if (count<V>() > 1) v128.store(c, c11, 16); if (count<V>() > 2) { v128.store(c, c12, 32); v128.store(c, c13, 48); } }
  if (count<R>() > 2) { c += cRow; v128.store(c, c20); if (count<V>() > 1) v128.store(c, c21, 16); if (count<V>() > 2) { v128.store(c, c22, 32); v128.store(c, c23, 48); } }
  if (count<R>() > 3) { c += cRow; v128.store(c, c30); if (count<V>() > 1) v128.store(c, c31, 16); if (count<V>() > 2) { v128.store(c, c32, 32); v128.store(c, c33, 48); } }
  if (count<R>() > 4) { c += cRow; v128.store(c, c40); if (count<V>() > 1) v128.store(c, c41, 16); if (count<V>() > 2) { v128.store(c, c42, 32); v128.store(c, c43, 48); } }
  if (count<R>() > 5) { c += cRow; v128.store(c, c50); if (count<V>() > 1) v128.store(c, c51, 16); if (count<V>() > 2) { v128.store(c, c52, 32); v128.store(c, c53, 48); } }
}
