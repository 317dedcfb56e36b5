// Running totals of x[outer, n, inner] along n, forwards or, with reverse = 1, from the end. They are kept in double
// precision, one after the other, so their bits do not depend on the axis.
import { LANES, at, lane0 } from "./vector";

/** Columns whose totals are kept in scratch together. */
// @ts-ignore: decorator
@inline const BLOCK: i32 = 512;

class Add {
  @inline identity(): f64 { return 0; }
  @inline one(a: f64, b: f64): f64 { return a + b; }
  @inline whole(a: i32, b: i32): i32 { return a + b; }
  @inline vec(a: v128, b: v128): v128 { return f64x2.add(a, b); }
}
class Mul {
  @inline identity(): f64 { return 1; }
  @inline one(a: f64, b: f64): f64 { return a * b; }
  @inline whole(a: i32, b: i32): i32 { return a * b; }
  @inline vec(a: v128, b: v128): v128 { return f64x2.mul(a, b); }
}

/** Four rows side by side, as one addition has to wait for the one before. */
// @ts-ignore: decorator
@inline function rows<Op>(y: usize, x: usize, outer: i32, n: i32, reverse: bool): void {
  const op = changetype<Op>(0);
  const step: usize = reverse ? -sizeof<real>() : sizeof<real>();
  const row = at(n);
  let r = 0;
  for (; r + 4 <= outer; r += 4) {
    let a = op.identity(), b = a, c = a, d = a;
    let i = at(r * n + (reverse ? n - 1 : 0));
    for (let j = 0; j < n; j++) {
      a = op.one(a, <f64>load<real>(x + i));
      b = op.one(b, <f64>load<real>(x + i + row));
      c = op.one(c, <f64>load<real>(x + i + 2 * row));
      d = op.one(d, <f64>load<real>(x + i + 3 * row));
      store<real>(y + i, <real>a);
      store<real>(y + i + row, <real>b);
      store<real>(y + i + 2 * row, <real>c);
      store<real>(y + i + 3 * row, <real>d);
      i += step;
    }
  }
  for (; r < outer; r++) {
    let a = op.identity();
    let i = at(r * n + (reverse ? n - 1 : 0));
    for (let j = 0; j < n; j++) {
      a = op.one(a, <f64>load<real>(x + i));
      store<real>(y + i, <real>a);
      i += step;
    }
  }
}

// @ts-ignore: decorator
@inline function columns<Op>(y: usize, x: usize, scratch: usize, outer: i32, n: i32, inner: i32, reverse: bool): void {
  const op = changetype<Op>(0);
  for (let o = 0; o < outer; o++) {
    for (let start = 0; start < inner; start += BLOCK) {
      const width = min(BLOCK, inner - start);
      for (let c = 0; c < width; c++) store<f64>(scratch + (<usize>c << 3), op.identity());
      for (let j = 0; j < n; j++) {
        const from = at((reverse ? n - 1 - j : j) * inner + start);
        let c = 0;
        for (; c + 2 <= width; c += 2) {
          const total = scratch + (<usize>c << 3);
          const p = x + from + at(c), q = y + from + at(c);
          if (sizeof<real>() == 4) {
            const v = op.vec(v128.load(total), f64x2.promote_low_f32x4(v128.load64_zero(p)));
            v128.store(total, v);
            v128.store64_lane(q, f32x4.demote_f64x2_zero(v), 0);
          } else {
            const v = op.vec(v128.load(total), v128.load(p));
            v128.store(total, v);
            v128.store(q, v);
          }
        }
        for (; c < width; c++) {
          const total = scratch + (<usize>c << 3);
          const v = op.one(load<f64>(total), <f64>load<real>(x + from + at(c)));
          store<f64>(total, v);
          store<real>(y + from + at(c), <real>v);
        }
      }
    }
    x += at(n * inner);
    y += at(n * inner);
  }
}

// @ts-ignore: decorator
@inline function scan<Op>(y: usize, x: usize, scratch: usize, outer: i32, n: i32, inner: i32, reverse: i32): void {
  if (inner == 1) rows<Op>(y, x, outer, n, reverse != 0);
  else columns<Op>(y, x, scratch, outer, n, inner, reverse != 0);
}

export function cumsum(y: usize, x: usize, scratch: usize, outer: i32, n: i32, inner: i32, reverse: i32): void {
  scan<Add>(y, x, scratch, outer, n, inner, reverse);
}
export function cumprod(y: usize, x: usize, scratch: usize, outer: i32, n: i32, inner: i32, reverse: i32): void {
  scan<Mul>(y, x, scratch, outer, n, inner, reverse);
}

/** Integers, modulo 2^32. */
// @ts-ignore: decorator
@inline function scanInt32<Op>(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const op = changetype<Op>(0);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < n * inner; k++) {
      const before = k < inner ? <i32>op.identity() : load<i32>(y + (<usize>(k - inner) << 2));
      store<i32>(y + (<usize>k << 2), op.whole(before, load<i32>(x + (<usize>k << 2))));
    }
    x += <usize>(n * inner) << 2;
    y += <usize>(n * inner) << 2;
  }
}
export function cumsumInt32(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  scanInt32<Add>(y, x, outer, n, inner);
}
export function cumprodInt32(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  scanInt32<Mul>(y, x, outer, n, inner);
}

/** y[j] = b[j] + a[j] y[j - 1], or y[j + 1] in reverse; y beyond the end is 0. */
export function linearScan(y: usize, a: usize, b: usize, outer: i32, n: i32, inner: i32, reverse: i32): void {
  const step = reverse != 0 ? -at(inner) : at(inner);
  for (let o = 0; o < outer; o++) {
    let from = reverse != 0 ? at((n - 1) * inner) : 0;
    if (inner == 1) {
      let before = v128.splat<real>(0);
      for (let j = 0; j < n; j++) {
        before = madd(v128.splat<real>(load<real>(a + from)), before, v128.splat<real>(load<real>(b + from)));
        store<real>(y + from, lane0(before));
        from += step;
      }
    } else {
      if (n > 0) memory.copy(y + from, b + from, at(inner));
      for (let j = 1; j < n; j++) {
        const before = y + from;
        from += step;
        const p = a + from, q = b + from, r = y + from;
        let i = 0;
        for (; i + LANES <= inner; i += LANES) v128.store(r + at(i), madd(v128.load(p + at(i)), v128.load(before + at(i)), v128.load(q + at(i))));
        for (; i < inner; i++) {
          store<real>(r + at(i), lane0(madd(
            v128.splat<real>(load<real>(p + at(i))),
            v128.splat<real>(load<real>(before + at(i))),
            v128.splat<real>(load<real>(q + at(i))),
          )));
        }
      }
    }
    y += at(n * inner);
    a += at(n * inner);
    b += at(n * inner);
  }
}

/** y[j] = x[j - 1], or x[j + 1] in reverse; `value` where that is beyond the end. */
export function shift(y: usize, x: usize, value: real, outer: i32, n: i32, inner: i32, reverse: i32): void {
  if (n == 0) return;
  const rest = at((n - 1) * inner);
  for (let o = 0; o < outer; o++) {
    memory.copy(reverse != 0 ? y : y + at(inner), reverse != 0 ? x + at(inner) : x, rest);
    const edge = reverse != 0 ? y + rest : y;
    for (let i = 0; i < inner; i++) store<real>(edge + at(i), value);
    x += at(n * inner);
    y += at(n * inner);
  }
}
