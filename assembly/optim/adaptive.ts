// Steps divided by a root of squared gradients: Adagrad, RMSprop and Adadelta.
import { at, LANES } from "../vector";
import { Cell, cell, counted, flush, put, setCell, spread, stride, take, turn } from "./cells";

/** Counts a step t; `first` becomes -lr / (1 + (t - 1) lrDecay). Cells: lrDecay in `extra`. */
export function adagradAdvance(cells: usize): void {
  const t = counted(cells);
  setCell(cells, Cell.first, -cell(cells, Cell.lr) / (1 + (t - 1) * cell(cells, Cell.extra)));
}

// @ts-ignore: decorator
@inline function adagradLoop(w: usize, g: usize, s: usize, cells: usize, n: i32, whole: bool): void {
  const rate = spread(cell(cells, Cell.first)), decay = spread(cell(cells, Cell.decay)), eps = spread(cell(cells, Cell.eps)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, s += step) {
    const x = take(w, whole);
    const d = madd(decay, x, v128.xor(take(g, whole), sign));
    const q = madd(d, d, take(s, whole));
    put(s, q, whole);
    put(w, madd(rate, v128.div<real>(d, v128.add<real>(v128.sqrt<real>(q), eps)), x), whole);
  }
}

/** Adagrad (Duchi et al. 2011): s += g^2, w -= lr / (1 + (t - 1) lrDecay) g / (sqrt(s) + eps). */
export function adagrad(w: usize, g: usize, s: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  adagradLoop(w, g, s, cells, n - rest, true);
  adagradLoop(w + done, g + done, s + done, cells, rest, false);
}

// @ts-ignore: decorator
@inline function rmspropLoop(w: usize, g: usize, v: usize, a: usize, b: usize, cells: usize, n: i32, centered: bool, momentum: bool, whole: bool): void {
  const alpha = cell(cells, Cell.beta1);
  const keep = spread(alpha), fresh = spread(1 - alpha), mu = spread(cell(cells, Cell.beta2)), eps = spread(cell(cells, Cell.eps));
  const rate = spread(-cell(cells, Cell.lr)), decay = spread(cell(cells, Cell.decay)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, v += step) {
    const x = take(w, whole);
    const d = madd(decay, x, v128.xor(take(g, whole), sign));
    let q = flush(madd(v128.mul<real>(fresh, d), d, v128.mul<real>(keep, take(v, whole))));
    put(v, q, whole);
    if (centered) {
      const mean = flush(madd(fresh, d, v128.mul<real>(keep, take(a, whole))));
      put(a, mean, whole);
      // rounding may leave less than nothing of a variance
      q = v128.max<real>(nmadd(mean, mean, q), spread(0));
      a += step;
    }
    let u = v128.div<real>(d, v128.add<real>(v128.sqrt<real>(q), eps));
    if (momentum) {
      u = flush(madd(mu, take(b, whole), u));
      put(b, u, whole);
      b += step;
    }
    put(w, madd(rate, u, x), whole);
  }
}

// @ts-ignore: decorator
@inline function rmspropBoth(w: usize, g: usize, v: usize, a: usize, b: usize, cells: usize, n: i32, centered: bool, momentum: bool): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  rmspropLoop(w, g, v, a, b, cells, n - rest, centered, momentum, true);
  rmspropLoop(w + done, g + done, v + done, a + done, b + done, cells, rest, centered, momentum, false);
}

/**
 * RMSprop (Hinton, lecture 6e, 2012): v = alpha v + (1 - alpha) g^2, w -= lr g / (sqrt(v) + eps).
 * Cells: alpha and momentum in those of beta1, beta2.
 */
export function rmsprop(w: usize, g: usize, v: usize, cells: usize, n: i32): void {
  rmspropBoth(w, g, v, 0, 0, cells, n, false, false);
}

/** As rmsprop, with b = momentum b + g / (sqrt(v) + eps), w -= lr b. */
export function rmspropMomentum(w: usize, g: usize, v: usize, b: usize, cells: usize, n: i32): void {
  rmspropBoth(w, g, v, 0, b, cells, n, false, true);
}

/** As rmsprop, with v - a^2 below the root, a = alpha a + (1 - alpha) g (Graves 2013, equations 38 to 40). */
export function rmspropCentered(w: usize, g: usize, v: usize, a: usize, cells: usize, n: i32): void {
  rmspropBoth(w, g, v, a, 0, cells, n, true, false);
}

/** As rmspropCentered, with the momentum of rmspropMomentum. */
export function rmspropCenteredMomentum(w: usize, g: usize, v: usize, a: usize, b: usize, cells: usize, n: i32): void {
  rmspropBoth(w, g, v, a, b, cells, n, true, true);
}

// @ts-ignore: decorator
@inline function adadeltaLoop(w: usize, g: usize, v: usize, u: usize, cells: usize, n: i32, whole: bool): void {
  const rho = cell(cells, Cell.beta1);
  const keep = spread(rho), fresh = spread(1 - rho), eps = spread(cell(cells, Cell.eps));
  const rate = spread(-cell(cells, Cell.lr)), decay = spread(cell(cells, Cell.decay)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, v += step, u += step) {
    const x = take(w, whole);
    const d = madd(decay, x, v128.xor(take(g, whole), sign));
    const q = flush(madd(v128.mul<real>(fresh, d), d, v128.mul<real>(keep, take(v, whole))));
    const before = take(u, whole);
    const quotient = v128.div<real>(v128.sqrt<real>(v128.add<real>(before, eps)), v128.sqrt<real>(v128.add<real>(q, eps)));
    const delta = v128.mul<real>(quotient, d);
    put(v, q, whole);
    put(u, flush(madd(v128.mul<real>(fresh, delta), delta, v128.mul<real>(keep, before))), whole);
    put(w, madd(rate, delta, x), whole);
  }
}

/**
 * Adadelta (Zeiler 2012, algorithm 1): v = rho v + (1 - rho) g^2, delta = sqrt(u + eps) / sqrt(v + eps) g,
 * u = rho u + (1 - rho) delta^2, w -= lr delta. Cells: rho in that of beta1.
 */
export function adadelta(w: usize, g: usize, v: usize, u: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  adadeltaLoop(w, g, v, u, cells, n - rest, true);
  adadeltaLoop(w + done, g + done, v + done, u + done, cells, rest, false);
}
