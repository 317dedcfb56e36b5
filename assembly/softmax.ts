// Softmax and log-softmax over the rows of x[rows, cols], or over n of x[outer, n, inner], forward and backward.
import { C, constant } from "./constants";
import * as elementary from "./elementary";
import { K } from "./elementary/coefficients";
import { polynomial10, polynomial5 } from "./elementary/polynomial";
import { gather, scatter } from "./elementwise/map";
import { Full, One } from "./lanes";
import { CHUNK } from "./reduce/layout";
import { T } from "./tables";
import { LANES, at, lane0, maxLanes, sumLanes } from "./vector";

/** Elements that are added in one vector; the sums of chunks are added in order. */
// @ts-ignore: decorator
@inline const ROW_CHUNK: i32 = 4096;
/** Rows of logsumexp with fewer elements are done before a loop of four vectors pays. */
// @ts-ignore: decorator
@inline export const FEW: i32 = 16 * LANES;

/** exp(x) for x <= 0, in fewer steps than for any x: 0 below the normal range, NaN stays NaN. */
// @ts-ignore: decorator
@inline export function expNegative(x: v128): v128 {
  // pmax(a, b) = a < b ? b : a keeps a NaN in a
  x = v128.pmax<real>(x, constant(T.zeroFrom));
  const shifted = madd(x, constant(C.log2e), constant(T.biasedMagic));
  const n = v128.sub<real>(shifted, constant(T.biasedMagic));
  if (sizeof<real>() == 4) {
    // ln 2 in one part: what x lost when the largest was subtracted is more
    const r = madd(n, constant(T.minusLn2), x);
    const scale = i32x4.shl(shifted, 23);
    return madd(v128.mul<real>(r, scale), polynomial5(r, K.expShort), scale);
  }
  const r = madd(n, constant(C.ln2Low), madd(n, constant(C.ln2High), x));
  const scale = i64x2.shl(shifted, 52);
  return madd(madd(v128.mul<real>(r, r), polynomial10(r, K.exp), r), scale, scale);
}

/** Largest of n elements; a NaN is passed over. pmax(a, b) = a < b ? b : a is one machine instruction. */
// @ts-ignore: decorator
@inline export function largest(x: usize, n: i32): real {
  let a = constant(C.minusInfinity);
  let b = a, c = a, d = a;
  let i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    a = v128.pmax<real>(a, v128.load(x + at(i), 0));
    b = v128.pmax<real>(b, v128.load(x + at(i), 16));
    c = v128.pmax<real>(c, v128.load(x + at(i), 32));
    d = v128.pmax<real>(d, v128.load(x + at(i), 48));
  }
  for (; i + LANES <= n; i += LANES) a = v128.pmax<real>(a, v128.load(x + at(i)));
  a = v128.pmax<real>(v128.pmax<real>(a, b), v128.pmax<real>(c, d));
  let m = maxLanes(a);
  for (; i < n; i++) {
    const v = load<real>(x + at(i));
    if (v > m) m = v;
  }
  return m;
}

/**
 * total + sum of exp(x - m) for m the largest x. With `keep` they go to y, else y is 0 or a cell of 32 bytes (64 if `four`) through
 * which the sums pass in pairs: V8 makes sums of 256 bits only of pairs that end in neighbouring stores. With `four` they are added in
 * the order of reduce/engine.ts. Four vectors at a time share each load of a constant.
 */
// @ts-ignore: decorator
@inline function exponentials(y: usize, x: usize, n: i32, m: real, total: f64, keep: bool, four: bool): f64 {
  const length = four ? CHUNK : ROW_CHUNK;
  const shift = v128.splat<real>(m);
  for (let start = 0; start < n; start += length) {
    const end = min(n, start + length);
    let sum0 = v128.splat<real>(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    let i = start;
    for (; i + 4 * LANES <= end; i += 4 * LANES) {
      let c = constant(T.zeroFrom);
      const x0 = v128.pmax<real>(v128.sub<real>(v128.load(x + at(i), 0), shift), c);
      const x1 = v128.pmax<real>(v128.sub<real>(v128.load(x + at(i), 16), shift), c);
      const x2 = v128.pmax<real>(v128.sub<real>(v128.load(x + at(i), 32), shift), c);
      const x3 = v128.pmax<real>(v128.sub<real>(v128.load(x + at(i), 48), shift), c);
      const magic = constant(T.biasedMagic);
      c = constant(C.log2e);
      let s0 = madd(x0, c, magic), s1 = madd(x1, c, magic), s2 = madd(x2, c, magic), s3 = madd(x3, c, magic);
      const n0 = v128.sub<real>(s0, magic), n1 = v128.sub<real>(s1, magic), n2 = v128.sub<real>(s2, magic), n3 = v128.sub<real>(s3, magic);
      c = constant(sizeof<real>() == 4 ? T.minusLn2 : C.ln2High);
      let r0 = madd(n0, c, x0), r1 = madd(n1, c, x1), r2 = madd(n2, c, x2), r3 = madd(n3, c, x3);
      c = constant(sizeof<real>() == 4 ? K.expShort + 4 : K.exp + 9);
      let p0 = c, p1 = c, p2 = c, p3 = c;
      if (sizeof<real>() == 4) {
        s0 = i32x4.shl(s0, 23), s1 = i32x4.shl(s1, 23), s2 = i32x4.shl(s2, 23), s3 = i32x4.shl(s3, 23);
        c = constant(K.expShort + 3);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.expShort + 2);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.expShort + 1);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.expShort);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        p0 = madd(v128.mul<real>(r0, s0), p0, s0), p1 = madd(v128.mul<real>(r1, s1), p1, s1);
        p2 = madd(v128.mul<real>(r2, s2), p2, s2), p3 = madd(v128.mul<real>(r3, s3), p3, s3);
      } else {
        s0 = i64x2.shl(s0, 52), s1 = i64x2.shl(s1, 52), s2 = i64x2.shl(s2, 52), s3 = i64x2.shl(s3, 52);
        c = constant(C.ln2Low);
        r0 = madd(n0, c, r0), r1 = madd(n1, c, r1), r2 = madd(n2, c, r2), r3 = madd(n3, c, r3);
        c = constant(K.exp + 8);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp + 7);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp + 6);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp + 5);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp + 4);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp + 3);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp + 2);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp + 1);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        c = constant(K.exp);
        p0 = madd(p0, r0, c), p1 = madd(p1, r1, c), p2 = madd(p2, r2, c), p3 = madd(p3, r3, c);
        p0 = madd(madd(v128.mul<real>(r0, r0), p0, r0), s0, s0), p1 = madd(madd(v128.mul<real>(r1, r1), p1, r1), s1, s1);
        p2 = madd(madd(v128.mul<real>(r2, r2), p2, r2), s2, s2), p3 = madd(madd(v128.mul<real>(r3, r3), p3, r3), s3, s3);
      }
      if (keep) {
        v128.store(y + at(i), p0, 0);
        v128.store(y + at(i), p1, 16);
        v128.store(y + at(i), p2, 32);
        v128.store(y + at(i), p3, 48);
      }
      sum0 = v128.add<real>(sum0, p0);
      sum1 = v128.add<real>(sum1, p1);
      if (four) {
        sum2 = v128.add<real>(sum2, p2);
        sum3 = v128.add<real>(sum3, p3);
      } else {
        sum0 = v128.add<real>(sum0, p2);
        sum1 = v128.add<real>(sum1, p3);
      }
    }
    // two vectors that are left over leave room for the sums where they will be: y and x lie apart
    if (keep ? i + 2 * LANES <= end : y != 0 && i > start) {
      const cell = keep ? y + at(i) : y;
      v128.store(cell, sum0);
      v128.store(cell, sum1, 16);
      if (four) {
        v128.store(cell, sum2, 32);
        v128.store(cell, sum3, 48);
        sum2 = v128.load(cell, 32);
        sum3 = v128.load(cell, 48);
      }
      sum0 = v128.load(cell);
      sum1 = v128.load(cell, 16);
    }
    for (; i + LANES <= end; i += LANES) {
      const e = expNegative(v128.sub<real>(v128.load(x + at(i)), shift));
      if (keep) v128.store(y + at(i), e);
      sum0 = v128.add<real>(sum0, e);
    }
    sum0 = v128.add<real>(sum0, sum1);
    if (four) sum0 = v128.add<real>(sum0, v128.add<real>(sum2, sum3));
    let part = sumLanes(sum0);
    const rest = end - i;
    if (rest > 0) {
      const e = expNegative(v128.sub<real>(gather<real>(x + at(i), 1, rest), shift));
      if (keep) scatter<real>(y + at(i), e, rest);
      part += lane0(e);
      if (rest > 1) part += v128.extract_lane<real>(e, 1);
      if (sizeof<real>() == 4 && rest > 2) part += v128.extract_lane<real>(e, sizeof<real>() == 4 ? 2 : 1);
    }
    total += <f64>part;
  }
  return total;
}

/** y = exp(x - m) for m the largest x; returns the sum. */
export function expRow(y: usize, x: usize, n: i32, m: real): real {
  return <real>exponentials(y, x, n, m, 0, true, false);
}

/** total + sum of exp(x - m) for m the largest x, in the order of reduce/engine.ts, through 64 bytes at `cell`. */
export function sumExp(cell: usize, x: usize, n: i32, m: real, total: f64): f64 {
  return exponentials(cell, x, n, m, total, false, true);
}

/** log of the sum of exp(x - m) for m the largest x. */
export function logSumExp(x: usize, n: i32, m: real): real {
  return logOf(<real>exponentials(0, x, n, m, 0, false, false));
}

// @ts-ignore: decorator
@inline export function logOf(x: real): real {
  return lane0(elementary.log(v128.splat<real>(x)));
}

/** y = x - s - t. */
// @ts-ignore: decorator
@inline function shiftRow(y: usize, x: usize, n: i32, s: real, t: real): void {
  const u = v128.splat<real>(s), w = v128.splat<real>(t);
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v128.sub<real>(v128.sub<real>(v128.load(x + at(i)), u), w));
  for (; i < n; i++) store<real>(y + at(i), load<real>(x + at(i)) - s - t);
}

/** y = x * factor. */
// @ts-ignore: decorator
@inline export function scaleRow(y: usize, x: usize, n: i32, factor: real): void {
  const f = v128.splat<real>(factor);
  let i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    v128.store(y + at(i), v128.mul<real>(v128.load(x + at(i), 0), f), 0);
    v128.store(y + at(i), v128.mul<real>(v128.load(x + at(i), 16), f), 16);
  }
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v128.mul<real>(v128.load(x + at(i)), f));
  for (; i < n; i++) store<real>(y + at(i), load<real>(x + at(i)) * factor);
}

/**
 * Finishes a row, y = y * s or, if `log`, y = x - s - t, and answers the largest of the next row's n elements, which the pass over it
 * then finds in the cache. Its maxima pass in a pair through `cell`, where the next row of y will be, as in exponentials().
 */
// @ts-ignore: decorator
@inline function finishRow(y: usize, x: usize, next: usize, cell: usize, n: i32, s: real, t: real, log: bool): real {
  const u = v128.splat<real>(s), w = v128.splat<real>(t);
  let a = constant(C.minusInfinity);
  let b = a;
  let i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    const p = (log ? x : y) + at(i), q = next + at(i), to = y + at(i);
    const p0 = v128.load(p, 0), p1 = v128.load(p, 16), p2 = v128.load(p, 32), p3 = v128.load(p, 48);
    v128.store(to, log ? v128.sub<real>(v128.sub<real>(p0, u), w) : v128.mul<real>(p0, u), 0);
    v128.store(to, log ? v128.sub<real>(v128.sub<real>(p1, u), w) : v128.mul<real>(p1, u), 16);
    v128.store(to, log ? v128.sub<real>(v128.sub<real>(p2, u), w) : v128.mul<real>(p2, u), 32);
    v128.store(to, log ? v128.sub<real>(v128.sub<real>(p3, u), w) : v128.mul<real>(p3, u), 48);
    a = v128.pmax<real>(v128.pmax<real>(a, v128.load(q, 0)), v128.load(q, 32));
    b = v128.pmax<real>(v128.pmax<real>(b, v128.load(q, 16)), v128.load(q, 48));
  }
  if (i > 0) {
    v128.store(cell, a);
    v128.store(cell, b, 16);
    a = v128.load(cell);
    b = v128.load(cell, 16);
  }
  a = v128.pmax<real>(a, b);
  for (; i + LANES <= n; i += LANES) {
    const p0 = v128.load((log ? x : y) + at(i));
    v128.store(y + at(i), log ? v128.sub<real>(v128.sub<real>(p0, u), w) : v128.mul<real>(p0, u));
    a = v128.pmax<real>(a, v128.load(next + at(i)));
  }
  let m = maxLanes(a);
  for (; i < n; i++) {
    const p0 = load<real>((log ? x : y) + at(i));
    store<real>(y + at(i), log ? p0 - s - t : p0 * s);
    const v = load<real>(next + at(i));
    if (v > m) m = v;
  }
  return m;
}

/** y[r, :] = exp(x[r, :]) / sum; a row of -infinity gives NaN, or 0 if `masked`. */
export function softmaxRows(y: usize, x: usize, rows: i32, cols: i32, masked: i32): void {
  let m = rows > 0 ? largest(x, cols) : 0;
  for (; rows > 0; rows--) {
    const next = x + at(cols), after = y + at(cols);
    if (masked && m == <real>-Infinity) {
      // NaN stays, -infinity gives 0
      for (let i = 0; i < cols; i++) store<real>(y + at(i), load<real>(x + at(i)) == m ? 0 : load<real>(x + at(i)));
      if (rows > 1) m = largest(next, cols);
    } else {
      const factor: real = <real>1 / expRow(y, x, cols, m);
      if (rows > 1) m = finishRow(y, x, next, after, cols, factor, 0, false);
      else scaleRow(y, y, cols, factor);
    }
    x = next;
    y = after;
  }
}

/** dx = y (dy - sum(dy y)). */
export function softmaxGradRows(dx: usize, dy: usize, y: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    let d0 = v128.splat<real>(0), d1 = d0, d2 = d0, d3 = d0;
    let i = 0;
    for (; i + 4 * LANES <= cols; i += 4 * LANES) {
      const p = dy + at(i), q = y + at(i);
      d0 = madd(v128.load(p, 0), v128.load(q, 0), d0);
      d1 = madd(v128.load(p, 16), v128.load(q, 16), d1);
      d2 = madd(v128.load(p, 32), v128.load(q, 32), d2);
      d3 = madd(v128.load(p, 48), v128.load(q, 48), d3);
    }
    for (; i + LANES <= cols; i += LANES) d0 = madd(v128.load(dy + at(i)), v128.load(y + at(i)), d0);
    let dot = sumLanes(v128.add<real>(v128.add<real>(d0, d1), v128.add<real>(d2, d3)));
    for (; i < cols; i++) dot += load<real>(dy + at(i)) * load<real>(y + at(i));
    const d = v128.splat<real>(dot);
    for (i = 0; i + 2 * LANES <= cols; i += 2 * LANES) {
      const p = dy + at(i), q = y + at(i), to = dx + at(i);
      const g0 = v128.sub<real>(v128.load(p, 0), d), g1 = v128.sub<real>(v128.load(p, 16), d);
      const y0 = v128.load(q, 0), y1 = v128.load(q, 16);
      v128.store(to, v128.mul<real>(y0, g0), 0);
      v128.store(to, v128.mul<real>(y1, g1), 16);
    }
    for (; i + LANES <= cols; i += LANES) {
      v128.store(dx + at(i), v128.mul<real>(v128.load(y + at(i)), v128.sub<real>(v128.load(dy + at(i)), d)));
    }
    for (; i < cols; i++) store<real>(dx + at(i), load<real>(y + at(i)) * (load<real>(dy + at(i)) - dot));
    dx += at(cols);
    dy += at(cols);
    y += at(cols);
  }
}

/** y = x - log(sum(exp(x))). */
export function logSoftmaxRows(y: usize, x: usize, rows: i32, cols: i32): void {
  let m = rows > 0 ? largest(x, cols) : 0;
  for (; rows > 0; rows--) {
    const next = x + at(cols), after = y + at(cols);
    // the exponentials are stored only to fetch y while there is arithmetic to do
    const logSum = logOf(expRow(y, x, cols, m));
    if (rows > 1) m = finishRow(y, x, next, after, cols, m, logSum, true);
    else shiftRow(y, x, cols, m, logSum);
    x = next;
    y = after;
  }
}

/** dx = dy - exp(y) sum(dy). */
export function logSoftmaxGradRows(dx: usize, dy: usize, y: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    let s0 = v128.splat<real>(0), s1 = s0, s2 = s0, s3 = s0;
    let i = 0;
    for (; i + 4 * LANES <= cols; i += 4 * LANES) {
      s0 = v128.add<real>(s0, v128.load(dy + at(i), 0));
      s1 = v128.add<real>(s1, v128.load(dy + at(i), 16));
      s2 = v128.add<real>(s2, v128.load(dy + at(i), 32));
      s3 = v128.add<real>(s3, v128.load(dy + at(i), 48));
    }
    for (; i + LANES <= cols; i += LANES) s0 = v128.add<real>(s0, v128.load(dy + at(i)));
    let sum = sumLanes(v128.add<real>(v128.add<real>(s0, s1), v128.add<real>(s2, s3)));
    for (; i < cols; i++) sum += load<real>(dy + at(i));
    const s = v128.splat<real>(sum);
    for (i = 0; i + 4 * LANES <= cols; i += 4 * LANES) {
      const p = y + at(i), q = dy + at(i), to = dx + at(i);
      const y0 = v128.load(p, 0), y1 = v128.load(p, 16), y2 = v128.load(p, 32), y3 = v128.load(p, 48);
      const p0 = expNegative(y0), p1 = expNegative(y1), p2 = expNegative(y2), p3 = expNegative(y3);
      const x0 = nmadd(p0, s, v128.load(q, 0)), x1 = nmadd(p1, s, v128.load(q, 16));
      const x2 = nmadd(p2, s, v128.load(q, 32)), x3 = nmadd(p3, s, v128.load(q, 48));
      v128.store(to, x0, 0);
      v128.store(to, x1, 16);
      v128.store(to, x2, 32);
      v128.store(to, x3, 48);
    }
    for (; i + LANES <= cols; i += LANES) v128.store(dx + at(i), nmadd(expNegative(v128.load(y + at(i))), s, v128.load(dy + at(i))));
    for (; i < cols; i++) {
      const p = expNegative(v128.splat<real>(load<real>(y + at(i))));
      store<real>(dx + at(i), lane0(nmadd(p, s, v128.splat<real>(load<real>(dy + at(i))))));
    }
    dx += at(cols);
    dy += at(cols);
    y += at(cols);
  }
}

class Softmax {
  @inline columns<L>(y: usize, x: usize, _unused: usize, n: i32, stride: usize): void {
    const lanes = changetype<L>(0);
    let m = constant(C.minusInfinity);
    for (let j = 0; j < n; j++) m = v128.pmax<real>(m, lanes.load(x + <usize>j * stride));
    let sum = v128.splat<real>(0);
    for (let j = 0; j < n; j++) {
      const e = expNegative(v128.sub<real>(lanes.load(x + <usize>j * stride), m));
      lanes.store(y + <usize>j * stride, e);
      sum = v128.add<real>(sum, e);
    }
    const factor = v128.div<real>(constant(C.one), sum);
    for (let j = 0; j < n; j++) lanes.store(y + <usize>j * stride, v128.mul<real>(lanes.load(y + <usize>j * stride), factor));
  }
}

class LogSoftmax {
  @inline columns<L>(y: usize, x: usize, _unused: usize, n: i32, stride: usize): void {
    const lanes = changetype<L>(0);
    let m = constant(C.minusInfinity);
    for (let j = 0; j < n; j++) m = v128.pmax<real>(m, lanes.load(x + <usize>j * stride));
    let sum = v128.splat<real>(0);
    for (let j = 0; j < n; j++) sum = v128.add<real>(sum, expNegative(v128.sub<real>(lanes.load(x + <usize>j * stride), m)));
    const logSum = elementary.log(sum);
    for (let j = 0; j < n; j++) {
      lanes.store(y + <usize>j * stride, v128.sub<real>(v128.sub<real>(lanes.load(x + <usize>j * stride), m), logSum));
    }
  }
}

class SoftmaxGrad {
  @inline columns<L>(dx: usize, dy: usize, y: usize, n: i32, stride: usize): void {
    const lanes = changetype<L>(0);
    let dot = v128.splat<real>(0);
    for (let j = 0; j < n; j++) dot = madd(lanes.load(dy + <usize>j * stride), lanes.load(y + <usize>j * stride), dot);
    for (let j = 0; j < n; j++) {
      const g = v128.sub<real>(lanes.load(dy + <usize>j * stride), dot);
      lanes.store(dx + <usize>j * stride, v128.mul<real>(lanes.load(y + <usize>j * stride), g));
    }
  }
}

class LogSoftmaxGrad {
  @inline columns<L>(dx: usize, dy: usize, y: usize, n: i32, stride: usize): void {
    const lanes = changetype<L>(0);
    let sum = v128.splat<real>(0);
    for (let j = 0; j < n; j++) sum = v128.add<real>(sum, lanes.load(dy + <usize>j * stride));
    for (let j = 0; j < n; j++) {
      const p = v128.mul<real>(elementary.exp(lanes.load(y + <usize>j * stride)), sum);
      lanes.store(dx + <usize>j * stride, v128.sub<real>(lanes.load(dy + <usize>j * stride), p));
    }
  }
}

/** Runs Op over n of [outer, n, inner], LANES columns at a time. */
// @ts-ignore: decorator
@inline function columns<Op>(y: usize, x: usize, z: usize, outer: i32, n: i32, inner: i32): void {
  for (let o = 0; o < outer; o++) {
    let i = 0;
    for (; i + LANES <= inner; i += LANES) changetype<Op>(0).columns<Full>(y + at(i), x + at(i), z + at(i), n, at(inner));
    for (; i < inner; i++) changetype<Op>(0).columns<One>(y + at(i), x + at(i), z + at(i), n, at(inner));
    x += at(n * inner);
    y += at(n * inner);
    z += at(n * inner);
  }
}

/** y[o, :, i] = exp(x[o, :, i]) / sum. */
export function softmaxColumns(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  columns<Softmax>(y, x, x, outer, n, inner);
}
export function softmaxGradColumns(dx: usize, dy: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  columns<SoftmaxGrad>(dx, dy, y, outer, n, inner);
}
export function logSoftmaxColumns(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  columns<LogSoftmax>(y, x, x, outer, n, inner);
}
export function logSoftmaxGradColumns(dx: usize, dy: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  columns<LogSoftmaxGrad>(dx, dy, y, outer, n, inner);
}
