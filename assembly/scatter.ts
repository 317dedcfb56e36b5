// Elements combined by index along one axis, the walk as in gather.ts: y[i, j, k + index step] = op(itself, x[i, j, k]) in the
// order of the positions, so the bits depend on the operands alone; y holds what is combined with.
import { bytes, resolved } from "./gather";

class Add { @inline one<T>(a: T, b: T): T { return a + b; } }
class Mul { @inline one<T>(a: T, b: T): T { return a * b; } }
// NaN stays NaN
class Max { @inline one<T>(a: T, b: T): T { return max<T>(a, b); } }
class Min { @inline one<T>(a: T, b: T): T { return min<T>(a, b); } }

/** Answers 0, or 1 + the position of the first index out of range. */
// @ts-ignore: decorator
@inline function combine<T, Op>(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  let done = 0;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const row = y + bytes<T>(i * a0 + j * a1);
      const numbers = index + bytes<i32>(i * b0 + j * b1);
      const source = x + bytes<T>(i * c0 + j * c1);
      for (let k = 0; k < n2; k++) {
        const place = resolved(numbers + bytes<i32>(k * b2), wrap);
        if (<u32>place >= <u32>size) return done + k + 1;
        const to = row + bytes<T>(k * a2 + place * step);
        store<T>(to, changetype<Op>(0).one<T>(load<T>(to), load<T>(source + bytes<T>(k * c2))));
      }
      done += n2;
    }
  }
  return 0;
}

export function scatterProd(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return combine<real, Mul>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
export function scatterMax(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return combine<real, Max>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
export function scatterMin(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return combine<real, Min>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
/** Wraps modulo 2^32, as the product does. */
export function scatterAddInt32(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return combine<i32, Add>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
export function scatterProdInt32(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return combine<i32, Mul>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
export function scatterMaxInt32(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return combine<i32, Max>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
export function scatterMinInt32(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return combine<i32, Min>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
