// The loops of every reduction. y[o, i] reduces x[o, j1, j, i] over n1 runs of n elements, with any strides (in elements).
// A run is cut into chunks; in a chunk element j goes to accumulator j mod 4 LANES, the accumulators are joined as a tree,
// what is left over follows one by one, and chunks are joined in order in double precision. Rows and columns do this
// alike, so the bits depend on n1 and n alone, not on which axis is reduced or how x lies in memory.

// @ts-ignore: decorator
@inline const CHUNK: i32 = 512;
/** Columns that are reduced together: 1 KiB of each row. */
// @ts-ignore: decorator
@inline const BLOCK_BYTES: usize = 1024;
/** Where the parts of the scratch begin: accumulators, then totals. In all SCRATCH_BYTES of ts-src/ops/loops.ts. */
// @ts-ignore: decorator
@inline const TOTALS: usize = 16 * BLOCK_BYTES;
/** Bytes of one row of totals (f64). */
// @ts-ignore: decorator
@inline export const TOTALS_BYTES: usize = 2 * BLOCK_BYTES;

// @ts-ignore: decorator
@inline export function lanesOf<T>(): i32 {
  return 16 / sizeof<T>();
}
// @ts-ignore: decorator
@inline export function columnsOf<T>(): i32 {
  return <i32>BLOCK_BYTES / sizeof<T>();
}
// @ts-ignore: decorator
@inline function bytesOf<T>(i: i32): usize {
  return (<usize>i) << alignof<T>();
}

/** Where totals k of this kernel's scratch stand. */
// @ts-ignore: decorator
@inline export function totalsAt(scratch: usize, k: i32): usize {
  return scratch + TOTALS + <usize>k * TOTALS_BYTES;
}

/** Elements x[0], x[stride], ... as one vector. */
// @ts-ignore: decorator
@inline function gather<T>(x: usize, stride: usize): v128 {
  let v = v128.load_zero<T>(x);
  v = v128.load_lane<T>(x + stride, v, 1);
  if (sizeof<T>() == 4) {
    v = v128.load_lane<T>(x + 2 * stride, v, 2);
    v = v128.load_lane<T>(x + 3 * stride, v, 3);
  }
  return v;
}

// @ts-ignore: decorator
@inline function notNumber<T>(x: v128): v128 {
  return v128.ne<T>(x, x);
}

/** All lanes joined pairwise, (0, 2), (1, 3); in lane 0. */
// @ts-ignore: decorator
@inline function joinLanes<T, Op>(v: v128): v128 {
  v = changetype<Op>(0).join(v, v128.shuffle<u64>(v, v, 1, 0));
  return sizeof<T>() == 8 ? v : changetype<Op>(0).join(v, v128.shuffle<u32>(v, v, 1, 0, 3, 2));
}

// @ts-ignore: decorator
@inline function first<T>(v: v128): f64 {
  return <f64>v128.extract_lane<T>(v, 0);
}

/** One chunk of n elements `stride` bytes apart. */
// @ts-ignore: decorator
@inline function chunk<T, Op>(x: usize, m: v128, n: i32, stride: usize, unit: bool): f64 {
  const L = lanesOf<T>();
  const op = changetype<Op>(0);
  const step: usize = unit ? <usize>16 : stride * <usize>L;
  let s0 = v128.splat<T>(<T>op.identity()), s1 = s0, s2 = s0, s3 = s0;
  let nan = v128.splat<T>(0);
  let i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    const x0 = unit ? v128.load(x, 0) : gather<T>(x, stride);
    const x1 = unit ? v128.load(x, 16) : gather<T>(x + step, stride);
    const x2 = unit ? v128.load(x, 32) : gather<T>(x + 2 * step, stride);
    const x3 = unit ? v128.load(x, 48) : gather<T>(x + 3 * step, stride);
    s0 = op.join(s0, op.map(x0, m));
    s1 = op.join(s1, op.map(x1, m));
    s2 = op.join(s2, op.map(x2, m));
    s3 = op.join(s3, op.map(x3, m));
    if (op.ordered()) nan = v128.or(nan, v128.or(v128.or(notNumber<T>(x0), notNumber<T>(x1)), v128.or(notNumber<T>(x2), notNumber<T>(x3))));
    x += 4 * step;
  }
  for (; i + L <= n; i += L) {
    const x0 = unit ? v128.load(x) : gather<T>(x, stride);
    s0 = op.join(s0, op.map(x0, m));
    if (op.ordered()) nan = v128.or(nan, notNumber<T>(x0));
    x += step;
  }
  let v = joinLanes<T, Op>(op.join(op.join(s0, s1), op.join(s2, s3)));
  for (; i < n; i++) {
    const x0 = v128.splat<T>(load<T>(x));
    v = op.join(v, op.map(x0, m));
    if (op.ordered()) nan = v128.or(nan, notNumber<T>(x0));
    x += stride;
  }
  if (op.ordered()) {
    if (v128.any_true(nan)) return NaN;
  }
  return first<T>(v);
}

function chunkUnit<T, Op>(x: usize, m: v128, n: i32): f64 {
  return chunk<T, Op>(x, m, n, sizeof<T>(), true);
}
function chunkStrided<T, Op>(x: usize, m: v128, n: i32, stride: usize): f64 {
  return chunk<T, Op>(x, m, n, stride, false);
}

/** n1 runs of n elements reduced to one number. */
// @ts-ignore: decorator
@inline export function runs<T, Op>(x: usize, m: v128, n1: i32, n: i32, t1: i32, t: i32): f64 {
  const op = changetype<Op>(0);
  let total = op.identity();
  for (let j1 = 0; j1 < n1; j1++) {
    for (let start = 0; start < n; start += CHUNK) {
      const length = min(CHUNK, n - start);
      const p = x + bytesOf<T>(start * t);
      total = op.total(total, t == 1 ? chunkUnit<T, Op>(p, m, length) : chunkStrided<T, Op>(p, m, length, bytesOf<T>(t)));
    }
    x += bytesOf<T>(t1);
  }
  return total;
}

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

/** As accumulateWide for one vector of columns and rows r to r + 3, whose accumulators lie BLOCK_BYTES apart. */
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
  v128.store(a + BLOCK_BYTES, s1);
  v128.store(a + 2 * BLOCK_BYTES, s2);
  v128.store(a + 3 * BLOCK_BYTES, s3);
  return nan;
}

/** Sums of lanes 0 to L - 1 as joinLanes() forms them, of vectors that hold one lane of L outputs each. */
// @ts-ignore: decorator
@inline function joinVectors<T, Op>(a0: v128, a1: v128, a2: v128, a3: v128): v128 {
  const op = changetype<Op>(0);
  return sizeof<T>() == 8 ? op.join(a0, a1) : op.join(op.join(a0, a2), op.join(a1, a3));
}

/** Accumulators r, r + L, r + 2 L, r + 3 L of the columns at `a`, and of the whole groups of L rows from `full` on. */
// @ts-ignore: decorator
@inline function lane<T, Op>(a: usize, x: usize, m: v128, r: i32, full: i32, n: i32, row: usize): v128 {
  const L = lanesOf<T>();
  const op = changetype<Op>(0);
  a += <usize>r * BLOCK_BYTES;
  let s = v128.load(a);
  for (let j = full; j + L <= n; j += L) s = op.join(s, op.map(v128.load(x + <usize>(j + r) * row), m));
  return op.join(
    op.join(s, v128.load(a + <usize>L * BLOCK_BYTES)),
    op.join(v128.load(a + <usize>(2 * L) * BLOCK_BYTES), v128.load(a + <usize>(3 * L) * BLOCK_BYTES)),
  );
}

// @ts-ignore: decorator
@inline function loaded<T>(x: usize, s1: usize, unit: bool): v128 {
  return unit ? v128.load(x) : gather<T>(x, s1);
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

/** L outputs, s1 bytes apart in x, of n < 4 L elements each, t bytes apart. */
// @ts-ignore: decorator
@inline function few<T, Op>(x: usize, m: v128, n: i32, t: usize, s1: usize, unit: bool): v128 {
  const L = lanesOf<T>();
  const op = changetype<Op>(0);
  let v = v128.splat<T>(<T>op.identity());
  let nan = v128.splat<T>(0);
  let j = 0;
  if (n >= L) {
    let a0 = v, a1 = v, a2 = v, a3 = v;
    for (; j + L <= n; j += L) {
      const x0 = loaded<T>(x, s1, unit), x1 = loaded<T>(x + t, s1, unit);
      a0 = op.join(a0, op.map(x0, m));
      a1 = op.join(a1, op.map(x1, m));
      if (op.ordered()) nan = v128.or(nan, v128.or(notNumber<T>(x0), notNumber<T>(x1)));
      if (sizeof<T>() == 4) {
        const x2 = loaded<T>(x + 2 * t, s1, unit), x3 = loaded<T>(x + 3 * t, s1, unit);
        a2 = op.join(a2, op.map(x2, m));
        a3 = op.join(a3, op.map(x3, m));
        if (op.ordered()) nan = v128.or(nan, v128.or(notNumber<T>(x2), notNumber<T>(x3)));
      }
      x += <usize>L * t;
    }
    v = joinVectors<T, Op>(a0, a1, a2, a3);
  }
  for (; j < n; j++) {
    const x0 = loaded<T>(x, s1, unit);
    v = op.join(v, op.map(x0, m));
    if (op.ordered()) nan = v128.or(nan, notNumber<T>(x0));
    x += t;
  }
  // a NaN is all ones where a lane has met one
  return op.ordered() ? v128.or(v, nan) : v;
}
function fewUnit<T, Op>(x: usize, m: v128, n: i32, t: usize): v128 {
  return few<T, Op>(x, m, n, t, 0, true);
}
function fewStrided<T, Op>(x: usize, m: v128, n: i32, t: usize, s1: usize): v128 {
  return few<T, Op>(x, m, n, t, s1, false);
}
/** L neighbouring outputs of n < 4 L elements; strides in elements. */
// @ts-ignore: decorator
@inline export function short<T, Op>(x: usize, m: v128, n: i32, t: i32, s1: i32): v128 {
  return s1 == 1 ? fewUnit<T, Op>(x, m, n, bytesOf<T>(t)) : fewStrided<T, Op>(x, m, n, bytesOf<T>(t), bytesOf<T>(s1));
}
/** Whether short() does. */
// @ts-ignore: decorator
@inline export function isShort<T>(n1: i32, n: i32, inner: i32): bool {
  return n1 == 1 && n > 0 && n < 4 * lanesOf<T>() && inner >= lanesOf<T>();
}

/**
 * `width` neighbouring columns, at most columnsOf<T>(), reduced to totals (f64), or, if there is one chunk and y is
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
        for (let r = 0; r < 4 * L; r++) {
          for (wide = 0; wide + 4 * L <= width; wide += 4 * L) {
            const c = bytesOf<T>(wide);
            nan = v128.or(nan, accumulateWide<T, Op>(accumulators + <usize>r * BLOCK_BYTES + c, p + <usize>r * row + c, m + c, count, step));
          }
        }
        for (let i = wide; i + L <= width; i += L) {
          const c = bytesOf<T>(i);
          for (let r = 0; r < 4 * L; r += 4) {
            nan = v128.or(nan, accumulateNarrow<T, Op>(accumulators + <usize>r * BLOCK_BYTES + c, p + <usize>r * row + c, m + c, count, row, step));
          }
        }
      }
      let i = 0;
      for (; i + L <= width; i += L) {
        const c = bytesOf<T>(i);
        const a = accumulators + c, q = p + c;
        const m0 = op.centred() ? v128.load(m + c) : divisors;
        let v: v128;
        if (full == 0) v = fewUnit<T, Op>(q, m0, length, row);
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
        const one = chunkStrided<T, Op>(p + c, m0, length, row);
        const at = totals + (<usize>i << 3);
        if (direct) store<T>(y + c, finished<T>(op.total(op.identity(), one), divisor));
        else store<f64>(at, op.total(load<f64>(at), one));
      }
    }
    x += bytesOf<T>(t1);
  }
}

/** A total as it is stored; sums of integers wrap. */
// @ts-ignore: decorator
@inline export function finished<T>(total: f64, divisor: f64): T {
  if (isInteger<T>()) return <T><i64>total;
  return <T>(total / divisor);
}

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
      for (let i = 0; i < inner; i += columnsOf<T>()) {
        const width = min(columnsOf<T>(), inner - i);
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

/** Whether neighbouring outputs are reduced together. */
// @ts-ignore: decorator
@inline export function byColumns(inner: i32, t: i32, s1: i32): bool {
  return inner > 1 && s1 == 1 && t != 1;
}
