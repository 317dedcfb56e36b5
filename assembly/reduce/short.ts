// Few elements an output: as many outputs at a time as a vector has lanes.
import { bytesOf, gather, lanesOf, notNumber } from "./layout";

/** Lanes 0 to L - 1 joined as joinLanes() of runs.ts does, of vectors that hold one lane of L outputs each. */
// @ts-ignore: decorator
@inline function joinVectors<T, Op>(a0: v128, a1: v128, a2: v128, a3: v128): v128 {
  const op = changetype<Op>(0);
  return sizeof<T>() == 8 ? op.join(a0, a1) : op.join(op.join(a0, a2), op.join(a1, a3));
}

// @ts-ignore: decorator
@inline function loaded<T>(x: usize, s1: usize, unit: bool): v128 {
  return unit ? v128.load(x) : gather<T>(x, s1);
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
/** L outputs that are neighbours in memory; t in bytes. */
// @ts-ignore: decorator
@inline export function neighbours<T, Op>(x: usize, m: v128, n: i32, t: usize): v128 {
  return fewUnit<T, Op>(x, m, n, t);
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
