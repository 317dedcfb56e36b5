// Softmax, log-softmax and cross-entropy over the rows of x[rows, cols], forward and backward.
import * as elementary from "./elementary";
import { maxOf } from "./reduce/reduce";
import { LANES, at, lane0, sumLanes } from "./vector";

/** y = exp(x - m); returns the sum. */
// @ts-ignore: decorator
@inline function expRow(y: usize, x: usize, n: i32, m: real): real {
  const shift = v128.splat<real>(m);
  let sum = v128.splat<real>(0);
  let i = 0;
  for (; i + LANES <= n; i += LANES) {
    const e = elementary.exp(v128.sub<real>(v128.load(x + at(i)), shift));
    v128.store(y + at(i), e);
    sum = v128.add<real>(sum, e);
  }
  let total = sumLanes(sum);
  for (; i < n; i++) {
    const e = lane0(elementary.exp(v128.splat<real>(load<real>(x + at(i)) - m)));
    store<real>(y + at(i), e);
    total += e;
  }
  return total;
}

/** log of the sum of exp(x - m). */
// @ts-ignore: decorator
@inline function logSumExp(x: usize, n: i32, m: real): real {
  const shift = v128.splat<real>(m);
  let sum = v128.splat<real>(0);
  let i = 0;
  for (; i + LANES <= n; i += LANES) sum = v128.add<real>(sum, elementary.exp(v128.sub<real>(v128.load(x + at(i)), shift)));
  let total = sumLanes(sum);
  for (; i < n; i++) total += lane0(elementary.exp(v128.splat<real>(load<real>(x + at(i)) - m)));
  return lane0(elementary.log(v128.splat<real>(total)));
}

/** y = x * factor. */
// @ts-ignore: decorator
@inline function scaleRow(y: usize, x: usize, n: i32, factor: real): void {
  const f = v128.splat<real>(factor);
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v128.mul<real>(v128.load(x + at(i)), f));
  for (; i < n; i++) store<real>(y + at(i), load<real>(x + at(i)) * factor);
}

/** y[r, :] = exp(x[r, :]) / sum. */
export function softmaxRows(y: usize, x: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    const sum = expRow(y, x, cols, maxOf(x, cols));
    scaleRow(y, y, cols, 1 / sum);
    x += at(cols);
    y += at(cols);
  }
}

/** dx = y (dy - sum(dy y)). */
export function softmaxGradRows(dx: usize, dy: usize, y: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    let dots = v128.splat<real>(0);
    let i = 0;
    for (; i + LANES <= cols; i += LANES) dots = madd(v128.load(dy + at(i)), v128.load(y + at(i)), dots);
    let dot = sumLanes(dots);
    for (; i < cols; i++) dot += load<real>(dy + at(i)) * load<real>(y + at(i));
    const d = v128.splat<real>(dot);
    for (i = 0; i + LANES <= cols; i += LANES) {
      v128.store(dx + at(i), v128.mul<real>(v128.load(y + at(i)), v128.sub<real>(v128.load(dy + at(i)), d)));
    }
    for (; i < cols; i++) store<real>(dx + at(i), load<real>(y + at(i)) * (load<real>(dy + at(i)) - dot));
    dx += at(cols);
    dy += at(cols);
    y += at(cols);
  }
}

/** y = x - log(sum(exp(x))). */
export function logSoftmaxRows(y: usize, x: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    const m = maxOf(x, cols);
    const logSum = logSumExp(x, cols, m);
    const s = v128.splat<real>(m), t = v128.splat<real>(logSum);
    let i = 0;
    for (; i + LANES <= cols; i += LANES) {
      v128.store(y + at(i), v128.sub<real>(v128.sub<real>(v128.load(x + at(i)), s), t));
    }
    for (; i < cols; i++) store<real>(y + at(i), load<real>(x + at(i)) - m - logSum);
    x += at(cols);
    y += at(cols);
  }
}

/** dx = dy - exp(y) sum(dy). */
export function logSoftmaxGradRows(dx: usize, dy: usize, y: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    let sums = v128.splat<real>(0);
    let i = 0;
    for (; i + LANES <= cols; i += LANES) sums = v128.add<real>(sums, v128.load(dy + at(i)));
    let sum = sumLanes(sums);
    for (; i < cols; i++) sum += load<real>(dy + at(i));
    const s = v128.splat<real>(sum);
    for (i = 0; i + LANES <= cols; i += LANES) {
      const p = v128.mul<real>(elementary.exp(v128.load(y + at(i))), s);
      v128.store(dx + at(i), v128.sub<real>(v128.load(dy + at(i)), p));
    }
    for (; i < cols; i++) {
      const p = lane0(elementary.exp(v128.splat<real>(load<real>(y + at(i))))) * sum;
      store<real>(dx + at(i), load<real>(dy + at(i)) - p);
    }
    dx += at(cols);
    dy += at(cols);
    y += at(cols);
  }
}

// @ts-ignore: decorator
@inline function label(target: usize, r: i32): i32 {
  return load<i32>(target + (<usize>r << 2));
}

/**
 * Row losses logsumexp(x) - (1 - e) x[target] - e mean(x), e = smoothing, 0 where target = ignore
 * (Szegedy et al. 2016, section 7). reduction: 0 none (y[rows]), 1 sum, 2 mean over rows not ignored.
 * Returns 0, or 1 + the first row whose target is outside [0, cols).
 */
export function crossEntropy(
  y: usize, x: usize, target: usize, rows: i32, cols: i32, ignore: i32, smoothing: f64, reduction: i32,
): i32 {
  let total: f64 = 0;
  let count = 0;
  for (let r = 0; r < rows; r++) {
    const t = label(target, r);
    let loss: f64 = 0;
    if (t != ignore) {
      if (<u32>t >= <u32>cols) return r + 1;
      const m = maxOf(x, cols);
      loss = <f64>logSumExp(x, cols, m) + <f64>m - (1 - smoothing) * <f64>load<real>(x + at(t));
      if (smoothing != 0) {
        let sum: f64 = 0;
        for (let i = 0; i < cols; i++) sum += <f64>load<real>(x + at(i));
        loss -= (smoothing * sum) / <f64>cols;
      }
      count++;
    }
    if (reduction == 0) store<real>(y + at(r), <real>loss);
    total += loss;
    x += at(cols);
  }
  if (reduction == 1) store<real>(y, <real>total);
  if (reduction == 2) store<real>(y, <real>(total / <f64>count));
  return 0;
}

/** y[r] = 0 where target = ignore, else 1, or 1 / rows not ignored for reduction 2. */
export function crossEntropyScale(y: usize, target: usize, rows: i32, ignore: i32, reduction: i32): void {
  let count = 0;
  for (let r = 0; r < rows; r++) count += i32(label(target, r) != ignore);
  const scale = reduction == 2 ? <real>(1 / <f64>count) : <real>1;
  for (let r = 0; r < rows; r++) store<real>(y + at(r), label(target, r) == ignore ? 0 : scale);
}

/** dx = scale dy (softmax(x) - (1 - e) onehot(target) - e / cols), scale = 1 or 1 / rows not ignored. */
export function crossEntropyGrad(
  dx: usize, dy: usize, x: usize, target: usize, rows: i32, cols: i32, ignore: i32, smoothing: f64, reduction: i32,
): void {
  let count = 0;
  for (let r = 0; r < rows; r++) count += i32(label(target, r) != ignore);
  const off = <real>(smoothing / <f64>cols);
  for (let r = 0; r < rows; r++) {
    const t = label(target, r);
    if (t == ignore) {
      memory.fill(dx, 0, at(cols));
    } else {
      let g = <f64>load<real>(reduction == 0 ? dy + at(r) : dy);
      if (reduction == 2) g /= <f64>count;
      const sum = expRow(dx, x, cols, maxOf(x, cols));
      scaleRow(dx, dx, cols, <real>(g / <f64>sum));
      if (smoothing != 0) {
        for (let i = 0; i < cols; i++) store<real>(dx + at(i), load<real>(dx + at(i)) - <real>g * off);
      }
      store<real>(dx + at(t), load<real>(dx + at(t)) - <real>(g * (1 - smoothing)));
    }
    x += at(cols);
    dx += at(cols);
  }
}
