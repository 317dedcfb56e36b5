// Adam and AMSGrad, with weight decay in the gradient or decoupled from it.
import { LANES, at } from "../vector";
import { Cell, cell, counted, flush, put, setCell, spread, take, turn, wholePower } from "./cells";

/** Counts a step t; `first` becomes -lr / (1 - beta1^t), `second` 1 / sqrt(1 - beta2^t), `third` 1 - lr decay if that is decoupled. */
export function adamAdvance(cells: usize): void {
  const t = counted(cells), lr = cell(cells, Cell.lr);
  setCell(cells, Cell.first, -lr / (1 - wholePower(cell(cells, Cell.beta1), t)));
  setCell(cells, Cell.second, 1 / sqrt<f64>(1 - wholePower(cell(cells, Cell.beta2), t)));
  setCell(cells, Cell.third, cell(cells, Cell.extra) != 0 ? 1 - lr * cell(cells, Cell.decay) : 1);
}

// @ts-ignore: decorator
@inline function moment(x: v128, flushing: bool): v128 {
  return flushing ? flush(x) : x;
}

/** The largest second moment so far, of which `top` holds that before; without it the moment itself. */
// @ts-ignore: decorator
@inline function largest(q: v128, top: usize, amsgrad: bool, whole: bool): v128 {
  if (!amsgrad) return q;
  const most = v128.max<real>(take(top, whole), q);
  put(top, most, whole);
  return most;
}

// @ts-ignore: decorator
@inline function adamLoop(w: usize, g: usize, m: usize, v: usize, top: usize, cells: usize, n: i32, amsgrad: bool, flushing: bool): void {
  const beta1 = cell(cells, Cell.beta1), beta2 = cell(cells, Cell.beta2);
  const b1 = spread(beta1), c1 = spread(1 - beta1);
  const b2 = spread(beta2), c2 = spread(1 - beta2);
  const eps = spread(cell(cells, Cell.eps));
  const decay = spread(cell(cells, Cell.extra) != 0 ? 0 : cell(cells, Cell.decay));
  const step = spread(cell(cells, Cell.first)), correction = spread(cell(cells, Cell.second)), shrink = spread(cell(cells, Cell.third));
  const sign = turn(cells);
  for (const end = w + at(n & ~(2 * LANES - 1)); w != end; w += 32, g += 32, m += 32, v += 32) {
    const x0 = v128.load(w), x1 = v128.load(w, 16);
    const d0 = madd(decay, x0, v128.xor(v128.load(g), sign)), d1 = madd(decay, x1, v128.xor(v128.load(g, 16), sign));
    const q0 = moment(madd(v128.mul<real>(c2, d0), d0, v128.mul<real>(b2, v128.load(v))), flushing);
    const q1 = moment(madd(v128.mul<real>(c2, d1), d1, v128.mul<real>(b2, v128.load(v, 16))), flushing);
    v128.store(v, q0);
    v128.store(v, q1, 16);
    const most0 = largest(q0, top, amsgrad, true), most1 = largest(q1, top + 16, amsgrad, true);
    if (amsgrad) top += 32;
    const root0 = madd(v128.sqrt<real>(most0), correction, eps), root1 = madd(v128.sqrt<real>(most1), correction, eps);
    const p0 = moment(madd(c1, d0, v128.mul<real>(b1, v128.load(m))), flushing);
    const p1 = moment(madd(c1, d1, v128.mul<real>(b1, v128.load(m, 16))), flushing);
    v128.store(m, p0);
    v128.store(m, p1, 16);
    v128.store(w, madd(step, v128.div<real>(p0, root0), v128.mul<real>(shrink, x0)));
    v128.store(w, madd(step, v128.div<real>(p1, root1), v128.mul<real>(shrink, x1)), 16);
  }
  n &= 2 * LANES - 1;
  for (let i = 0; i < n; i++) {
    const x = take(w + at(i), false);
    const d = madd(decay, x, v128.xor(take(g + at(i), false), sign));
    const q = moment(madd(v128.mul<real>(c2, d), d, v128.mul<real>(b2, take(v + at(i), false))), flushing);
    const p = moment(madd(c1, d, v128.mul<real>(b1, take(m + at(i), false))), flushing);
    put(v + at(i), q, false);
    put(m + at(i), p, false);
    const root = madd(v128.sqrt<real>(largest(q, top + at(i), amsgrad, false)), correction, eps);
    put(w + at(i), madd(step, v128.div<real>(p, root), v128.mul<real>(shrink, x)), false);
  }
}

/** Whether the moments are flushed at this step: every eighth. */
// @ts-ignore: decorator
@inline function flushes(cells: usize): bool {
  return (<i32>cell(cells, Cell.steps) & 7) == 0;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
 * w -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps). Moments are flushed at every eighth step, which costs a
 * fifth of the loop's time and is early enough: 0.9^8 is 2^-1.2, and the threshold lies 2^10 above the subnormals.
 * Vectors go in pairs, which Node 24 runs as one of 256 bits: 0.47 instead of 0.69 ns an element.
 * Cells: whether the decay is decoupled in `extra` (Loshchilov and Hutter 2019): then w shrinks first, and g is as it came.
 */
export function adam(w: usize, g: usize, m: usize, v: usize, cells: usize, n: i32): void {
  if (flushes(cells)) adamLoop(w, g, m, v, 0, cells, n, false, true);
  else adamLoop(w, g, m, v, 0, cells, n, false, false);
}

/** As adam, with the largest v so far in place of v below the root (Reddi et al. 2018, algorithm 2). */
export function amsgrad(w: usize, g: usize, m: usize, v: usize, top: usize, cells: usize, n: i32): void {
  if (flushes(cells)) adamLoop(w, g, m, v, top, cells, n, true, true);
  else adamLoop(w, g, m, v, top, cells, n, true, false);
}
