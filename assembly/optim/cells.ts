// What the updates of optimizers have in common. Their numbers stand in cells (f64) in memory, so a schedule changes a number there
// and nothing is traced anew. Each update is written once, for a vector or for one element at the end.
import { C, constant } from "../constants";
import { SHIFT } from "../vector";

/** Cells of a parameter: steps done and settings, which the bindings write; from `first` on what kernels keep or work out for a step. */
export const enum Cell {
  steps, lr, decay,
  /** 1 descends, -1 ascends. */
  sign,
  beta1, beta2, eps, extra,
  first, second, third, fourth,
}

// @ts-ignore: decorator
@inline export function cell(cells: usize, i: i32): f64 {
  return load<f64>(cells + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline export function setCell(cells: usize, i: i32, value: f64): void {
  store<f64>(cells + (<usize>i << 3), value);
}

/** A number in every lane. */
// @ts-ignore: decorator
@inline export function spread(value: f64): v128 {
  return v128.splat<real>(<real>value);
}

/** Counts a step and answers its number, from 1. */
// @ts-ignore: decorator
@inline export function counted(cells: usize): f64 {
  const t = cell(cells, Cell.steps) + 1;
  setCell(cells, Cell.steps, t);
  return t;
}

/** Counts a step. */
export function countStep(cells: usize): void {
  counted(cells);
}

/** x^t for a whole t >= 1 by squaring: it depends on x and t alone, so training that goes on from a saved t has the same bits. */
export function wholePower(x: f64, t: f64): f64 {
  let y: f64 = 1;
  for (let n = <u64>t; n > 0; n >>= 1) {
    if (n & 1) y *= x;
    x *= x;
  }
  return y;
}

/**
 * Zero below 2^-116 (f32) or 2^-1012 (f64). The moments of a weight whose gradient stays 0 decay into subnormal numbers,
 * on which a processor is many times slower: MNIST at batch 16 took 1.5 instead of 0.4 ms a step.
 */
// @ts-ignore: decorator
@inline export function flush(x: v128): v128 {
  return v128.andnot(x, v128.lt<real>(v128.andnot(x, constant(C.sign)), constant(C.tiny)));
}

/** A vector, or one element in every lane. */
// @ts-ignore: decorator
@inline export function take(x: usize, whole: bool): v128 {
  return whole ? v128.load(x) : v128.splat<real>(load<real>(x));
}

// @ts-ignore: decorator
@inline export function put(x: usize, v: v128, whole: bool): void {
  if (whole) v128.store(x, v);
  else store<real>(x, v128.extract_lane<real>(v, 0));
}

/** Bytes from one take() to the next. */
// @ts-ignore: decorator
@inline export function stride(whole: bool): usize {
  return whole ? 16 : (<usize>1) << SHIFT;
}

/** The sign bit where the optimizer ascends: turned by it, a gradient is that of the negative. */
// @ts-ignore: decorator
@inline export function turn(cells: usize): v128 {
  return v128.and(spread(cell(cells, Cell.sign)), constant(C.sign));
}
