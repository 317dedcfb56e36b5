// Reductions of x[outer, n, inner] over n. Long sums are cut into chunks of a fixed size whose results are added in
// order, so the bits depend on the shape alone; the error grows with n / CHUNK + CHUNK / 16, not with n.
import { LANES, at, maxLanes, sumLanes } from "./vector";
import { C, constant } from "./constants";

// @ts-ignore: decorator
@inline const CHUNK: i32 = 4096;
// @ts-ignore: decorator
@inline const ROW_CHUNK: i32 = 256;

/** Sum of n contiguous elements, n <= CHUNK, in four vector accumulators. */
// @ts-ignore: decorator
@inline function sumChunk(x: usize, n: i32): real {
  let s0 = v128.splat<real>(0), s1 = s0, s2 = s0, s3 = s0;
  let i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    s0 = v128.add<real>(s0, v128.load(x + at(i), 0));
    s1 = v128.add<real>(s1, v128.load(x + at(i), 16));
    s2 = v128.add<real>(s2, v128.load(x + at(i), 32));
    s3 = v128.add<real>(s3, v128.load(x + at(i), 48));
  }
  for (; i + LANES <= n; i += LANES) s0 = v128.add<real>(s0, v128.load(x + at(i)));
  let total = sumLanes(v128.add<real>(v128.add<real>(s0, s1), v128.add<real>(s2, s3)));
  for (; i < n; i++) total += load<real>(x + at(i));
  return total;
}

/** y[r] = sum of row r. */
export function sumRows(y: usize, x: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    let total: real = 0;
    for (let c = 0; c < cols; c += CHUNK) total += sumChunk(x + at(c), min(CHUNK, cols - c));
    store<real>(y + at(r), total);
    x += at(cols);
  }
}

/** y[o, i] = sum over j of x[o, j, i]. */
export function sumColumns(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  for (let o = 0; o < outer; o++) {
    let i = 0;
    for (; i + LANES <= inner; i += LANES) {
      let total = v128.splat<real>(0);
      for (let start = 0; start < n; start += ROW_CHUNK) {
        const end = min(n, start + ROW_CHUNK);
        let sum = v128.splat<real>(0);
        for (let j = start; j < end; j++) sum = v128.add<real>(sum, v128.load(x + at(j * inner + i)));
        total = v128.add<real>(total, sum);
      }
      v128.store(y + at(i), total);
    }
    for (; i < inner; i++) {
      let total: real = 0;
      for (let start = 0; start < n; start += ROW_CHUNK) {
        const end = min(n, start + ROW_CHUNK);
        let sum: real = 0;
        for (let j = start; j < end; j++) sum += load<real>(x + at(j * inner + i));
        total += sum;
      }
      store<real>(y + at(i), total);
    }
    x += at(n * inner);
    y += at(inner);
  }
}

/** Largest of n >= 1 contiguous elements; NaN if one is NaN. */
// @ts-ignore: decorator
@inline export function maxOf(x: usize, n: i32): real {
  let best = constant(C.minusInfinity);
  let i = 0;
  for (; i + LANES <= n; i += LANES) best = v128.max<real>(best, v128.load(x + at(i)));
  let m = maxLanes(best);
  for (; i < n; i++) m = max(m, load<real>(x + at(i)));
  return m;
}

/** y[r] (int32) = first position of the largest element of row r; a NaN counts as largest. */
export function argmaxRows(y: usize, x: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    const m = maxOf(x, cols);
    let i = 0;
    if (m == m) while (load<real>(x + at(i)) != m) i++;
    else while (load<real>(x + at(i)) == load<real>(x + at(i))) i++;
    store<i32>(y + (<usize>r << 2), i);
    x += at(cols);
  }
}
