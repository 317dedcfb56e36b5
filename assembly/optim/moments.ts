// Kin of Adam: Adamax, NAdam, RAdam and Lion.
import { C, constant } from "../constants";
import { at, LANES } from "../vector";
import { Cell, cell, counted, flush, put, setCell, spread, stride, take, turn, wholePower } from "./cells";

/** Counts a step t; `first` becomes -lr / (1 - beta1^t). */
export function adamaxAdvance(cells: usize): void {
  const t = counted(cells);
  setCell(cells, Cell.first, -cell(cells, Cell.lr) / (1 - wholePower(cell(cells, Cell.beta1), t)));
}

// @ts-ignore: decorator
@inline function adamaxLoop(w: usize, g: usize, m: usize, u: usize, cells: usize, n: i32, whole: bool): void {
  const beta1 = cell(cells, Cell.beta1);
  const b1 = spread(beta1), c1 = spread(1 - beta1), b2 = spread(cell(cells, Cell.beta2)), eps = spread(cell(cells, Cell.eps));
  const decay = spread(cell(cells, Cell.decay)), rate = spread(cell(cells, Cell.first)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, m += step, u += step) {
    const x = take(w, whole);
    const d = madd(decay, x, v128.xor(take(g, whole), sign));
    const p = flush(madd(c1, d, v128.mul<real>(b1, take(m, whole))));
    const q = v128.max<real>(flush(v128.mul<real>(b2, take(u, whole))), v128.add<real>(v128.abs<real>(d), eps));
    put(m, p, whole);
    put(u, q, whole);
    put(w, madd(rate, v128.div<real>(p, q), x), whole);
  }
}

/** Adamax (Kingma and Ba 2015, algorithm 2): m = b1 m + (1 - b1) g, u = max(b2 u, |g| + eps), w -= lr / (1 - b1^t) m / u. */
export function adamax(w: usize, g: usize, m: usize, u: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  adamaxLoop(w, g, m, u, cells, n - rest, true);
  adamaxLoop(w + done, g + done, m + done, u + done, cells, rest, false);
}

/**
 * Counts a step t with mu_t = beta1 (1 - 0.96^(t psi) / 2); `first` holds the product of all mu; `second` becomes the factor of g,
 * `third` that of m, `fourth` 1 / sqrt(1 - beta2^t). Cells: 0.96^psi in `extra`.
 */
export function nadamAdvance(cells: usize): void {
  const t = counted(cells), lr = cell(cells, Cell.lr), beta1 = cell(cells, Cell.beta1);
  const fading = wholePower(cell(cells, Cell.extra), t);
  const mu = beta1 * (1 - 0.5 * fading), next = beta1 * (1 - 0.5 * fading * cell(cells, Cell.extra));
  const product = cell(cells, Cell.first) * mu;
  setCell(cells, Cell.first, product);
  setCell(cells, Cell.second, -lr * (1 - mu) / (1 - product));
  setCell(cells, Cell.third, -lr * next / (1 - product * next));
  setCell(cells, Cell.fourth, 1 / sqrt<f64>(1 - wholePower(cell(cells, Cell.beta2), t)));
}

// @ts-ignore: decorator
@inline function nadamLoop(w: usize, g: usize, m: usize, v: usize, cells: usize, n: i32, whole: bool): void {
  const beta1 = cell(cells, Cell.beta1), beta2 = cell(cells, Cell.beta2);
  const b1 = spread(beta1), c1 = spread(1 - beta1), b2 = spread(beta2), c2 = spread(1 - beta2), eps = spread(cell(cells, Cell.eps));
  const ofGradient = spread(cell(cells, Cell.second)), ofMoment = spread(cell(cells, Cell.third)), correction = spread(cell(cells, Cell.fourth));
  const decay = spread(cell(cells, Cell.decay)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, m += step, v += step) {
    const x = take(w, whole);
    const d = madd(decay, x, v128.xor(take(g, whole), sign));
    const p = flush(madd(c1, d, v128.mul<real>(b1, take(m, whole))));
    const q = flush(madd(v128.mul<real>(c2, d), d, v128.mul<real>(b2, take(v, whole))));
    put(m, p, whole);
    put(v, q, whole);
    const root = madd(v128.sqrt<real>(q), correction, eps);
    put(w, v128.add<real>(x, v128.div<real>(madd(ofGradient, d, v128.mul<real>(ofMoment, p)), root)), whole);
  }
}

/**
 * NAdam (Dozat 2016): Adam's moments m, v; w -= lr ((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_(t+1) / (1 - mu_1 ... mu_(t+1)) m)
 * / (sqrt(v / (1 - b2^t)) + eps).
 */
export function nadam(w: usize, g: usize, m: usize, v: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  nadamLoop(w, g, m, v, cells, n - rest, true);
  nadamLoop(w + done, g + done, m + done, v + done, cells, rest, false);
}

/** Counts a step t; `first` becomes the factor of m, `second` whether the variance is known well enough to divide by its root. */
export function radamAdvance(cells: usize): void {
  const t = counted(cells), beta2 = cell(cells, Cell.beta2);
  const fading = wholePower(beta2, t);
  const rate = -cell(cells, Cell.lr) / (1 - wholePower(cell(cells, Cell.beta1), t));
  const most = 2 / (1 - beta2) - 1, length = most - 2 * t * fading / (1 - fading);
  const rectified = length > 5;
  const factor = sqrt<f64>((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length) * (1 - fading));
  setCell(cells, Cell.first, rectified ? rate * factor : rate);
  setCell(cells, Cell.second, rectified ? 1 : 0);
}

// @ts-ignore: decorator
@inline function radamLoop(w: usize, g: usize, m: usize, v: usize, cells: usize, n: i32, rectified: bool, whole: bool): void {
  const beta1 = cell(cells, Cell.beta1), beta2 = cell(cells, Cell.beta2);
  const b1 = spread(beta1), c1 = spread(1 - beta1), b2 = spread(beta2), c2 = spread(1 - beta2), eps = spread(cell(cells, Cell.eps));
  const rate = spread(cell(cells, Cell.first)), decay = spread(cell(cells, Cell.decay)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, m += step, v += step) {
    const x = take(w, whole);
    const d = madd(decay, x, v128.xor(take(g, whole), sign));
    const p = flush(madd(c1, d, v128.mul<real>(b1, take(m, whole))));
    const q = flush(madd(v128.mul<real>(c2, d), d, v128.mul<real>(b2, take(v, whole))));
    put(m, p, whole);
    put(v, q, whole);
    put(w, madd(rate, rectified ? v128.div<real>(p, v128.add<real>(v128.sqrt<real>(q), eps)) : p, x), whole);
  }
}

/**
 * RAdam (Liu et al. 2020, algorithm 2): Adam's moments m, v; rho = 2 / (1 - b2) - 1 - 2 t b2^t / (1 - b2^t);
 * w -= lr r sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps) where rho > 5, else w -= lr / (1 - b1^t) m.
 */
export function radam(w: usize, g: usize, m: usize, v: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  if (cell(cells, Cell.second) != 0) {
    radamLoop(w, g, m, v, cells, n - rest, true, true);
    radamLoop(w + done, g + done, m + done, v + done, cells, rest, true, false);
  } else {
    radamLoop(w, g, m, v, cells, n - rest, false, true);
    radamLoop(w + done, g + done, m + done, v + done, cells, rest, false, false);
  }
}

// @ts-ignore: decorator
@inline function lionLoop(w: usize, g: usize, m: usize, cells: usize, n: i32, whole: bool): void {
  const beta1 = cell(cells, Cell.beta1), beta2 = cell(cells, Cell.beta2), lr = cell(cells, Cell.lr);
  const b1 = spread(beta1), c1 = spread(1 - beta1), b2 = spread(beta2), c2 = spread(1 - beta2);
  const rate = spread(-lr), shrink = spread(1 - lr * cell(cells, Cell.decay)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, m += step) {
    const d = v128.xor(take(g, whole), sign), before = take(m, whole);
    const c = madd(c1, d, v128.mul<real>(b1, before));
    const unit = v128.or(v128.and(c, constant(C.sign)), constant(C.one));
    // 0 stays 0, NaN stays NaN
    const direction = v128.bitselect(unit, c, v128.gt<real>(v128.abs<real>(c), spread(0)));
    put(m, flush(madd(c2, d, v128.mul<real>(b2, before))), whole);
    put(w, madd(rate, direction, v128.mul<real>(shrink, take(w, whole))), whole);
  }
}

/** Lion (Chen et al. 2023, program 1): w = (1 - lr decay) w - lr sign(b1 m + (1 - b1) g), m = b2 m + (1 - b2) g. */
export function lion(w: usize, g: usize, m: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  lionLoop(w, g, m, cells, n - rest, true);
  lionLoop(w + done, g + done, m + done, cells, rest, false);
}
