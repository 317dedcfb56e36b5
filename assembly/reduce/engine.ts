// The loops of every reduction. y[o, i] reduces x[o, j1, j, i] over n1 runs of n elements, with any strides (in elements).
// A run is cut into chunks; in a chunk element j goes to accumulator j mod 4 LANES, the accumulators are joined as a tree,
// what is left over follows one by one, and chunks are joined in order in double precision. Rows and columns do this
// alike, so the bits depend on n1 and n alone, not on which axis is reduced or how x lies in memory.

import { columns } from "./columns";
import { CHUNK, bytesOf, columnsOf, finished, lanesOf, totalsAt } from "./layout";
import { runs } from "./runs";
import { isShort, short } from "./short";

/** Whether columns() can write y itself. */
// @ts-ignore: decorator
@inline function single(n1: i32, n: i32): bool {
  return n1 == 1 && n > 0 && n <= CHUNK;
}

/** y = the reduction of x, divided by `divisor`. s0, t1, t, s1: strides of the outer axis, runs, elements, inner axis. */
// @ts-ignore: decorator
@inline export function reduce<T, Op>(
  y: usize, x: usize, scratch: usize, outer: i32, n1: i32, n: i32, inner: i32, s0: i32, t1: i32, t: i32, s1: i32, divisor: f64,
): void {
  const none = v128.splat<T>(<T>0);
  const divisors = v128.splat<T>(<T>divisor);
  for (let o = 0; o < outer; o++) {
    if (isShort<T>(n1, n, inner)) {
      let i = 0;
      for (; i + lanesOf<T>() <= inner; i += lanesOf<T>()) {
        let v = short<T, Op>(x + bytesOf<T>(i * s1), none, n, t, s1);
        if (isFloat<T>()) {
          if (divisor != 1) v = v128.div<T>(v, divisors);
        }
        v128.store(y, v);
        y += 16;
      }
      for (; i < inner; i++) {
        store<T>(y, finished<T>(runs<T, Op>(x + bytesOf<T>(i * s1), none, n1, n, t1, t), divisor));
        y += sizeof<T>();
      }
    } else if (byColumns(inner, t, s1)) {
      for (let i = 0; i < inner; i += columnsOf<T>(n)) {
        const width = min(columnsOf<T>(n), inner - i);
        const totals = totalsAt(scratch, 0);
        columns<T, Op>(totals, single(n1, n) ? y : 0, x + bytesOf<T>(i), 0, scratch, n1, n, t1, t, width, divisor);
        if (!single(n1, n)) {
          for (let c = 0; c < width; c++) store<T>(y + bytesOf<T>(c), finished<T>(load<f64>(totals + (<usize>c << 3)), divisor));
        }
        y += bytesOf<T>(width);
      }
    } else {
      for (let i = 0; i < inner; i++) {
        store<T>(y, finished<T>(runs<T, Op>(x + bytesOf<T>(i * s1), none, n1, n, t1, t), divisor));
        y += sizeof<T>();
      }
    }
    x += bytesOf<T>(s0);
  }
}

/** Chunk by chunk what a reduction of n neighbours joins in order: totals[i] (f64) of elements from i CHUNK on. */
// @ts-ignore: decorator
@inline export function chunkTotals<T, Op>(totals: usize, x: usize, n: i32): void {
  const none = v128.splat<T>(<T>0);
  for (; n > 0; n -= CHUNK, x += bytesOf<T>(CHUNK), totals += 8) store<f64>(totals, runs<T, Op>(x, none, 1, min(n, CHUNK), 0, 1));
}

/** Whether neighbouring outputs are reduced together. */
// @ts-ignore: decorator
@inline export function byColumns(inner: i32, t: i32, s1: i32): bool {
  return inner > 1 && s1 == 1 && t != 1;
}
