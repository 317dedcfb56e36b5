// Where a value stands: the second half of argmax and argmin, whose first half are max and min. Arguments as in reduce()
// of engine.ts, with runs of one length; m has the extremes.
import { at } from "../vector";

// @ts-ignore: decorator
@inline function matches<T>(x: v128, m: v128): v128 {
  if (isInteger<T>()) return v128.eq<T>(x, m);
  return v128.or(v128.eq<T>(x, m), v128.and(v128.ne<T>(x, x), v128.ne<T>(m, m)));
}
/** Equal, or both NaN. */
// @ts-ignore: decorator
@inline function match<T>(x: T, m: T): bool {
  return x == m || (x != x && m != m);
}

/** y[o, i] (int32) = first j with x[o, j, i] = m[o, i]. */
// @ts-ignore: decorator
@inline function find<T>(y: usize, x: usize, m: usize, outer: i32, n: i32, inner: i32, s0: i32, t: i32, s1: i32): void {
  const L = 16 / sizeof<T>();
  const bytes = <usize>sizeof<T>();
  for (let o = 0; o < outer; o++) {
    if (inner > 1 && s1 == 1) {
      // row by row from the last, so that the first match is written last
      for (let j = n - 1; j >= 0; j--) {
        const p = x + <usize>(j * t) * bytes;
        let i = 0;
        for (; i + L <= inner; i += L) {
          if (!v128.any_true(matches<T>(v128.load(p + <usize>i * bytes), v128.load(m + <usize>i * bytes)))) continue;
          for (let k = i; k < i + L; k++) {
            if (match<T>(load<T>(p + <usize>k * bytes), load<T>(m + <usize>k * bytes))) store<i32>(y + (<usize>k << 2), j);
          }
        }
        for (; i < inner; i++) {
          if (match<T>(load<T>(p + <usize>i * bytes), load<T>(m + <usize>i * bytes))) store<i32>(y + (<usize>i << 2), j);
        }
      }
    } else {
      for (let i = 0; i < inner; i++) {
        const p = x + <usize>(i * s1) * bytes;
        const value = load<T>(m + <usize>i * bytes);
        const values = v128.splat<T>(value);
        let j = 0;
        if (t == 1) while (j + L <= n && !v128.any_true(matches<T>(v128.load(p + <usize>j * bytes), values))) j += L;
        while (j < n - 1 && !match<T>(load<T>(p + <usize>(j * t) * bytes), value)) j++;
        store<i32>(y + (<usize>i << 2), j);
      }
    }
    x += <usize>s0 * bytes;
    m += <usize>inner * bytes;
    y += <usize>inner << 2;
  }
}

export function findFirst(y: usize, x: usize, m: usize, outer: i32, n: i32, inner: i32, s0: i32, t: i32, s1: i32): void {
  find<real>(y, x, m, outer, n, inner, s0, t, s1);
}
export function findFirstInt32(y: usize, x: usize, m: usize, outer: i32, n: i32, inner: i32, s0: i32, t: i32, s1: i32): void {
  find<i32>(y, x, m, outer, n, inner, s0, t, s1);
}

/** y[outer, n, inner] = 1 at j = index[o, i], else 0. */
export function onesAt(y: usize, index: usize, outer: i32, n: i32, inner: i32): void {
  memory.fill(y, 0, at(outer * n * inner));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      store<real>(y + at(load<i32>(index) * inner + i), 1);
      index += 4;
    }
    y += at(n * inner);
  }
}
