// The two elementwise parts of Muon (Jordan 2024), around the products that orthogonalise.
import { at, LANES } from "../vector";
import { Cell, cell, flush, put, spread, stride, take, turn } from "./cells";

// @ts-ignore: decorator
@inline function momentumLoop(u: usize, g: usize, m: usize, cells: usize, n: i32, whole: bool): void {
  const beta = cell(cells, Cell.beta1), nesterov = cell(cells, Cell.extra) != 0;
  const b = spread(beta), c = spread(1 - beta), look = spread(nesterov ? beta : 1), fresh = spread(nesterov ? 1 - beta : 0), sign = turn(cells);
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, u += step, g += step, m += step) {
    const d = v128.xor(take(g, whole), sign);
    const p = flush(madd(c, d, v128.mul<real>(b, take(m, whole))));
    put(m, p, whole);
    put(u, madd(fresh, d, v128.mul<real>(look, p)), whole);
  }
}

/** m = b m + (1 - b) g, u = nesterov ? b m + (1 - b) g : m. Cells: b in that of beta1, nesterov in `extra`. */
export function muonMomentum(u: usize, g: usize, m: usize, cells: usize, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  momentumLoop(u, g, m, cells, n - rest, true);
  momentumLoop(u + done, g + done, m + done, cells, rest, false);
}

// @ts-ignore: decorator
@inline function stepLoop(w: usize, u: usize, cells: usize, scale: f64, n: i32, whole: bool): void {
  const lr = cell(cells, Cell.lr);
  const rate = spread(-lr * scale), shrink = spread(1 - lr * cell(cells, Cell.decay));
  const step = stride(whole);
  for (; n > 0; n -= whole ? LANES : 1, w += step, u += step) put(w, madd(rate, take(u, whole), v128.mul<real>(shrink, take(w, whole))), whole);
}

/** w = (1 - lr decay) w - lr scale u. */
export function muonStep(w: usize, u: usize, cells: usize, scale: f64, n: i32): void {
  const rest = n & (LANES - 1), done = at(n - rest);
  stepLoop(w, u, cells, scale, n - rest, true);
  stepLoop(w + done, u + done, cells, scale, rest, false);
}
