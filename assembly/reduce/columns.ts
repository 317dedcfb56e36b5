// Neighbouring columns reduced together, row by row as they lie in memory.
import { ACCUMULATOR_BYTES, CHUNK, bytesOf, finished, first, lanesOf, notNumber } from "./layout";
import { stridedChunk } from "./runs";
import { neighbours } from "./short";

/** Accumulators of row r, r + 4 LANES, ... below `full`, for the four vectors of columns at x. */
// @ts-ignore: decorator
@inline function accumulateWide<T, Op>(a: usize, x: usize, m: usize, count: i32, step: usize): v128 {
  const op = changetype<Op>(0);
  let nan = v128.splat<T>(0);
  let s0 = v128.splat<T>(<T>op.identity()), s1 = s0, s2 = s0, s3 = s0;
  let m0 = s0, m1 = s0, m2 = s0, m3 = s0;
  if (op.centred()) {
    m0 = v128.load(m, 0);
    m1 = v128.load(m, 16);
    m2 = v128.load(m, 32);
    m3 = v128.load(m, 48);
  }
  for (; count > 0; count--) {
    const x0 = v128.load(x, 0), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    s0 = op.join(s0, op.map(x0, m0));
    s1 = op.join(s1, op.map(x1, m1));
    s2 = op.join(s2, op.map(x2, m2));
    s3 = op.join(s3, op.map(x3, m3));
    if (op.ordered()) nan = v128.or(nan, v128.or(v128.or(notNumber<T>(x0), notNumber<T>(x1)), v128.or(notNumber<T>(x2), notNumber<T>(x3))));
    x += step;
  }
  v128.store(a, s0, 0);
  v128.store(a, s1, 16);
  v128.store(a, s2, 32);
  v128.store(a, s3, 48);
  return nan;
}

/** Adds rows r + 4 LANES i, i < 4, to accumulator r: of `bytes` neighbours, a multiple of 32, in the order of the rows in memory. */
// @ts-ignore: decorator
@inline function accumulateRows<T, Op>(a: usize, x: usize, m: usize, bytes: usize, step: usize): v128 {
  const op = changetype<Op>(0);
  let nan = v128.splat<T>(0);
  const none = v128.splat<T>(0);
  const x1 = x + step, x2 = x1 + step, x3 = x2 + step;
  for (let c: usize = 0; c < bytes; c += 32) {
    const m0 = op.centred() ? v128.load(m + c) : none, m1 = op.centred() ? v128.load(m + c, 16) : none;
    let s0 = v128.load(a + c), s1 = v128.load(a + c, 16);
    let p = v128.load(x + c), q = v128.load(x + c, 16);
    s0 = op.join(s0, op.map(p, m0)), s1 = op.join(s1, op.map(q, m1));
    if (op.ordered()) nan = v128.or(nan, v128.or(notNumber<T>(p), notNumber<T>(q)));
    p = v128.load(x1 + c), q = v128.load(x1 + c, 16);
    s0 = op.join(s0, op.map(p, m0)), s1 = op.join(s1, op.map(q, m1));
    if (op.ordered()) nan = v128.or(nan, v128.or(notNumber<T>(p), notNumber<T>(q)));
    p = v128.load(x2 + c), q = v128.load(x2 + c, 16);
    s0 = op.join(s0, op.map(p, m0)), s1 = op.join(s1, op.map(q, m1));
    if (op.ordered()) nan = v128.or(nan, v128.or(notNumber<T>(p), notNumber<T>(q)));
    p = v128.load(x3 + c), q = v128.load(x3 + c, 16);
    s0 = op.join(s0, op.map(p, m0)), s1 = op.join(s1, op.map(q, m1));
    if (op.ordered()) nan = v128.or(nan, v128.or(notNumber<T>(p), notNumber<T>(q)));
    v128.store(a + c, s0);
    v128.store(a + c, s1, 16);
  }
  return nan;
}

/** As accumulateWide for one vector of columns and rows r to r + 3, whose accumulators lie ACCUMULATOR_BYTES apart. */
// @ts-ignore: decorator
@inline function accumulateNarrow<T, Op>(a: usize, x: usize, m: usize, count: i32, row: usize, step: usize): v128 {
  const op = changetype<Op>(0);
  let nan = v128.splat<T>(0);
  let s0 = v128.splat<T>(<T>op.identity()), s1 = s0, s2 = s0, s3 = s0;
  const m0 = op.centred() ? v128.load(m) : s0;
  for (; count > 0; count--) {
    const x0 = v128.load(x), x1 = v128.load(x + row), x2 = v128.load(x + 2 * row), x3 = v128.load(x + 3 * row);
    s0 = op.join(s0, op.map(x0, m0));
    s1 = op.join(s1, op.map(x1, m0));
    s2 = op.join(s2, op.map(x2, m0));
    s3 = op.join(s3, op.map(x3, m0));
    if (op.ordered()) nan = v128.or(nan, v128.or(v128.or(notNumber<T>(x0), notNumber<T>(x1)), v128.or(notNumber<T>(x2), notNumber<T>(x3))));
    x += step;
  }
  v128.store(a, s0);
  v128.store(a + ACCUMULATOR_BYTES, s1);
  v128.store(a + 2 * ACCUMULATOR_BYTES, s2);
  v128.store(a + 3 * ACCUMULATOR_BYTES, s3);
  return nan;
}

/** Accumulators r, r + L, r + 2 L, r + 3 L of the columns at `a`, and of the whole groups of L rows from `full` on. */
// @ts-ignore: decorator
@inline function lane<T, Op>(a: usize, x: usize, m: v128, r: i32, full: i32, n: i32, row: usize): v128 {
  const L = lanesOf<T>();
  const op = changetype<Op>(0);
  a += <usize>r * ACCUMULATOR_BYTES;
  let s = v128.load(a);
  for (let j = full; j + L <= n; j += L) s = op.join(s, op.map(v128.load(x + <usize>(j + r) * row), m));
  return op.join(
    op.join(s, v128.load(a + <usize>L * ACCUMULATOR_BYTES)),
    op.join(v128.load(a + <usize>(2 * L) * ACCUMULATOR_BYTES), v128.load(a + <usize>(3 * L) * ACCUMULATOR_BYTES)),
  );
}

/** All ones in the lanes that have a NaN in one of n rows. */
// @ts-ignore: decorator
@inline function anyNaN<T>(x: usize, n: i32, row: usize): v128 {
  let nan = v128.splat<T>(0);
  for (; n > 0; n--) {
    nan = v128.or(nan, notNumber<T>(v128.load(x)));
    x += row;
  }
  return nan;
}

/**
 * `width` neighbouring columns, at most columnsOf<T>(n), reduced to totals (f64), or, if there is one chunk and y is
 * not 0, to y, divided by `divisor`. m: the centre of each column.
 */
export function columns<T, Op>(
  totals: usize, y: usize, x: usize, m: usize, accumulators: usize, n1: i32, n: i32, t1: i32, t: i32, width: i32, divisor: f64,
): void {
  const L = lanesOf<T>();
  const op = changetype<Op>(0);
  const row = bytesOf<T>(t);
  const direct = y != 0;
  if (!direct) for (let c = 0; c < width; c++) store<f64>(totals + (<usize>c << 3), op.identity());
  const divisors = v128.splat<T>(<T>divisor);
  for (let j1 = 0; j1 < n1; j1++) {
    for (let start = 0; start < n; start += CHUNK) {
      const p = x + bytesOf<T>(start * t);
      const length = min(CHUNK, n - start);
      const full = length & ~(4 * L - 1);
      let wide = 0;
      let nan = v128.splat<T>(0);
      if (full > 0) {
        const count = full / (4 * L);
        const step = row * <usize>(4 * L);
        // line by line down the first 1 to 4 rows of each accumulator, the others four at a time
        const head = ((count - 1) & 3) + 1;
        for (let r = 0; r < 4 * L; r++) {
          for (wide = 0; wide + 4 * L <= width; wide += 4 * L) {
            const c = bytesOf<T>(wide);
            nan = v128.or(nan, accumulateWide<T, Op>(accumulators + <usize>r * ACCUMULATOR_BYTES + c, p + <usize>r * row + c, m + c, head, step));
          }
        }
        if (wide > 0) {
          for (let k = head; k < count; k += 4) {
            for (let r = 0; r < 4 * L; r++) {
              const q = p + <usize>k * step + <usize>r * row;
              nan = v128.or(nan, accumulateRows<T, Op>(accumulators + <usize>r * ACCUMULATOR_BYTES, q, m, bytesOf<T>(wide), step));
            }
          }
        }
        for (let i = wide; i + L <= width; i += L) {
          const c = bytesOf<T>(i);
          for (let r = 0; r < 4 * L; r += 4) {
            nan = v128.or(nan, accumulateNarrow<T, Op>(accumulators + <usize>r * ACCUMULATOR_BYTES + c, p + <usize>r * row + c, m + c, count, row, step));
          }
        }
      }
      let i = 0;
      for (; i + L <= width; i += L) {
        const c = bytesOf<T>(i);
        const a = accumulators + c, q = p + c;
        const m0 = op.centred() ? v128.load(m + c) : divisors;
        let v: v128;
        if (full == 0) v = neighbours<T, Op>(q, m0, length, row);
        else {
          v = lane<T, Op>(a, q, m0, 0, full, length, row);
          if (sizeof<T>() == 8) v = op.join(v, lane<T, Op>(a, q, m0, 1, full, length, row));
          else {
            v = op.join(v, lane<T, Op>(a, q, m0, 2, full, length, row));
            v = op.join(v, op.join(lane<T, Op>(a, q, m0, 1, full, length, row), lane<T, Op>(a, q, m0, 3, full, length, row)));
          }
          for (let j = length & ~(L - 1); j < length; j++) v = op.join(v, op.map(v128.load(q + <usize>j * row), m0));
          if (op.ordered()) {
            const seen = v128.any_true(nan) ? 0 : full;
            v = v128.or(v, anyNaN<T>(q + <usize>seen * row, length - seen, row));
          }
        }
        if (direct) {
          if (isFloat<T>()) {
            if (divisor != 1) v = v128.div<T>(v, divisors);
          }
          v128.store(y + c, v);
          continue;
        }
        const at = totals + (<usize>i << 3);
        store<f64>(at, op.total(load<f64>(at), first<T>(v)));
        store<f64>(at, op.total(load<f64>(at, 8), <f64>v128.extract_lane<T>(v, 1)), 8);
        if (sizeof<T>() == 4) {
          store<f64>(at, op.total(load<f64>(at, 16), <f64>v128.extract_lane<T>(v, (<u8>2 % <u8>(16 / sizeof<T>())))), 16);
          store<f64>(at, op.total(load<f64>(at, 24), <f64>v128.extract_lane<T>(v, (<u8>3 % <u8>(16 / sizeof<T>())))), 24);
        }
      }
      for (; i < width; i++) {
        const c = bytesOf<T>(i);
        const m0 = op.centred() ? v128.splat<T>(load<T>(m + c)) : divisors;
        const one = stridedChunk<T, Op>(p + c, m0, length, row);
        const at = totals + (<usize>i << 3);
        if (direct) store<T>(y + c, finished<T>(op.total(op.identity(), one), divisor));
        else store<f64>(at, op.total(load<f64>(at), one));
      }
    }
    x += bytesOf<T>(t1);
  }
}
