// Running averages of weights. Cells (f64): updates done, the weight of a new value or 0 for that of a mean, and the weight of this update.
import { at, LANES } from "../vector";
import { put, spread, stride, take } from "./cells";

/** Counts an update: the first weighs 1, later ones as set, or 1 / (updates so far) in a mean. */
export function averageAdvance(cells: usize): void {
  const n = load<f64>(cells) + 1, rate = load<f64>(cells, 8);
  store<f64>(cells, n);
  store<f64>(cells, n == 1 || rate == 0 ? 1 / n : rate, 16);
}

// @ts-ignore: decorator
@inline function averageLoop(a: usize, w: usize, rate: v128, n: i32, whole: bool): void {
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, a += step, w += step) {
    const before = take(a, whole);
    put(a, madd(rate, v128.sub<real>(take(w, whole), before), before), whole);
  }
}

/** a += rate (w - a). */
export function average(a: usize, w: usize, cells: usize, n: i32): void {
  const rate = spread(load<f64>(cells, 16));
  const rest = n & (LANES - 1), done = at(n - rest);
  averageLoop(a, w, rate, n - rest, true);
  averageLoop(a + done, w + done, rate, rest, false);
}
