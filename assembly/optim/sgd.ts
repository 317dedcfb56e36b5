// Stochastic gradient descent, plain and with momentum (Sutskever et al. 2013, as PyTorch applies it).
import { at, LANES } from "../vector";
import { Cell, cell, flush, put, spread, stride, take, turn } from "./cells";

// @ts-ignore: decorator
@inline function sgdLoop(w: usize, g: usize, cells: usize, n: i32, whole: bool): void {
  const rate = spread(-cell(cells, Cell.lr)), decay = spread(cell(cells, Cell.decay)), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step) {
    const x = take(w, whole);
    put(w, madd(rate, madd(decay, x, v128.xor(take(g, whole), sign)), x), whole);
  }
}

/** w -= lr (g + decay w). */
export function sgd(w: usize, g: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  sgdLoop(w, g, cells, n - rest, true);
  sgdLoop(w + done, g + done, cells, rest, false);
}

// @ts-ignore: decorator
@inline function momentumLoop(w: usize, g: usize, v: usize, cells: usize, n: i32, nesterov: bool, whole: bool): void {
  // the first step fills the buffer
  const first = cell(cells, Cell.steps) == 1;
  const rate = spread(-cell(cells, Cell.lr)), decay = spread(cell(cells, Cell.decay)), sign = turn(cells);
  const look = spread(cell(cells, Cell.beta1)), momentum = first ? spread(0) : look;
  const keep = first ? spread(1) : spread(1 - cell(cells, Cell.beta2));
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, g += step, v += step) {
    const x = take(w, whole);
    const d = madd(decay, x, v128.xor(take(g, whole), sign));
    const u = flush(madd(keep, d, v128.mul<real>(momentum, take(v, whole))));
    put(v, u, whole);
    put(w, madd(rate, nesterov ? madd(look, u, d) : u, x), whole);
  }
}

/**
 * d = g + decay w; v = momentum v + (1 - dampening) d, or d at the first step; w -= lr (nesterov ? d + momentum v : v).
 * Cells: momentum, dampening in those of beta1, beta2; whether nesterov in `extra`.
 */
export function sgdMomentum(w: usize, g: usize, v: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  if (cell(cells, Cell.extra) != 0) {
    momentumLoop(w, g, v, cells, n - rest, true, true);
    momentumLoop(w + done, g + done, v + done, cells, rest, true, false);
  } else {
    momentumLoop(w, g, v, cells, n - rest, false, true);
    momentumLoop(w + done, g + done, v + done, cells, rest, false, false);
  }
}
