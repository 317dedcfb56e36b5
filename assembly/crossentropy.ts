// Cross-entropy with class numbers, fused with the softmax, and the negative log-likelihood; w = 0 stands for weights of 1.
// reduction: 0 none, 1 sum, 2 mean, which divides by the weights of the targets.
import { expRow, largest, logOf, logSumExp, scaleRow } from "./softmax";
import { at } from "./vector";

// @ts-ignore: decorator
@inline function label(target: usize, r: i32): i32 {
  return load<i32>(target + (<usize>r << 2));
}

// @ts-ignore: decorator
@inline function weight(w: usize, t: i32): f64 {
  return w == 0 ? 1 : <f64>load<real>(w + at(t));
}

/** What the rows are divided by. */
function divisor(target: usize, w: usize, n: i32, ignore: i32, reduction: i32): f64 {
  if (reduction != 2) return 1;
  let total: f64 = 0;
  for (let r = 0; r < n; r++) {
    const t = label(target, r);
    if (t != ignore) total += weight(w, t);
  }
  return total;
}

/** Sum of the weights of all classes. */
function totalWeight(w: usize, cols: i32): f64 {
  if (w == 0) return <f64>cols;
  let total: f64 = 0;
  for (let c = 0; c < cols; c++) total += <f64>load<real>(w + at(c));
  return total;
}

/** Loss of a row x with target t, s its logsumexp. */
// @ts-ignore: decorator
@inline function rowLoss(x: usize, t: i32, w: usize, cols: i32, s: f64, smoothing: f64): f64 {
  let loss = (1 - smoothing) * weight(w, t) * (s - <f64>load<real>(x + at(t)));
  if (smoothing != 0) {
    let sum: f64 = 0;
    for (let i = 0; i < cols; i++) sum += weight(w, i) * (s - <f64>load<real>(x + at(i)));
    loss += (smoothing * sum) / <f64>cols;
  }
  return loss;
}

/** Gradient of a row whose exponentials, of that sum, stand in dx; g = dy over the divisor. */
// @ts-ignore: decorator
@inline function rowGradient(dx: usize, t: i32, w: usize, cols: i32, g: f64, spread: f64, sum: f64, smoothing: f64): void {
  const own = (1 - smoothing) * weight(w, t);
  scaleRow(dx, dx, cols, <real>((g * (own + spread)) / sum));
  if (smoothing != 0) {
    const off = (g * smoothing) / <f64>cols;
    for (let i = 0; i < cols; i++) store<real>(dx + at(i), load<real>(dx + at(i)) - <real>(off * weight(w, i)));
  }
  store<real>(dx + at(t), load<real>(dx + at(t)) - <real>(g * own));
}

/**
 * Row losses (1 - e) w[t] (s - x[t]) + e / cols sum over c of w[c] (s - x[c]), s = logsumexp(x), e = smoothing, 0 where
 * t = ignore (Szegedy et al. 2016, section 7). Returns 0, or 1 + the first row whose target is outside [0, cols).
 */
export function crossEntropy(
  y: usize, x: usize, target: usize, w: usize, rows: i32, cols: i32, ignore: i32, smoothing: f64, reduction: i32,
): i32 {
  let total: f64 = 0, weights: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const t = label(target, r);
    let loss: f64 = 0;
    if (t != ignore) {
      if (<u32>t >= <u32>cols) return r + 1;
      const m = largest(x, cols);
      const s = <f64>logSumExp(x, cols, m) + <f64>m;
      loss = rowLoss(x, t, w, cols, s, smoothing);
      weights += weight(w, t);
    }
    if (reduction == 0) store<real>(y + at(r), <real>loss);
    total += loss;
    x += at(cols);
  }
  if (reduction == 1) store<real>(y, <real>total);
  if (reduction == 2) store<real>(y, <real>(total / weights));
  return 0;
}

/** y[r] = weight of the softmax in the gradient of row r: 0 where it is ignored, else (1 - e) w[t] + e mean(w), over the divisor. */
export function crossEntropyScale(
  y: usize, target: usize, w: usize, rows: i32, cols: i32, ignore: i32, smoothing: f64, reduction: i32,
): void {
  const d = divisor(target, w, rows, ignore, reduction);
  const spread = w == 0 ? smoothing : (smoothing * totalWeight(w, cols)) / <f64>cols;
  for (let r = 0; r < rows; r++) {
    const t = label(target, r);
    store<real>(y + at(r), t == ignore ? 0 : <real>(((1 - smoothing) * weight(w, t) + spread) / d));
  }
}

/** dx = dy / divisor (W softmax(x) - (1 - e) w[t] onehot(t) - e w / cols), W = (1 - e) w[t] + e mean(w). */
export function crossEntropyGrad(
  dx: usize, dy: usize, x: usize, target: usize, w: usize, rows: i32, cols: i32, ignore: i32, smoothing: f64, reduction: i32,
): void {
  const d = divisor(target, w, rows, ignore, reduction);
  const spread = w == 0 ? smoothing : (smoothing * totalWeight(w, cols)) / <f64>cols;
  for (let r = 0; r < rows; r++) {
    const t = label(target, r);
    if (t == ignore) {
      memory.fill(dx, 0, at(cols));
    } else {
      const g = <f64>load<real>(reduction == 0 ? dy + at(r) : dy) / d;
      const sum = expRow(dx, x, cols, largest(x, cols));
      rowGradient(dx, t, w, cols, g, spread, <f64>sum, smoothing);
    }
    x += at(cols);
    dx += at(cols);
  }
}

/**
 * Both in one pass over x, with the bits of the two: the gradient of the sum (reduction 1) or mean (2), and behind it the loss.
 * Returns as crossEntropy does.
 */
export function crossEntropyWithGrad(
  dx: usize, dy: usize, x: usize, target: usize, w: usize, rows: i32, cols: i32, ignore: i32, smoothing: f64, reduction: i32,
): i32 {
  for (let r = 0; r < rows; r++) {
    const t = label(target, r);
    if (t != ignore && <u32>t >= <u32>cols) return r + 1;
  }
  const g = <f64>load<real>(dy) / divisor(target, w, rows, ignore, reduction);
  const spread = w == 0 ? smoothing : (smoothing * totalWeight(w, cols)) / <f64>cols;
  let total: f64 = 0, weights: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const t = label(target, r);
    if (t == ignore) {
      memory.fill(dx, 0, at(cols));
    } else {
      const m = largest(x, cols);
      const sum = expRow(dx, x, cols, m);
      total += rowLoss(x, t, w, cols, <f64>logOf(sum) + <f64>m, smoothing);
      weights += weight(w, t);
      rowGradient(dx, t, w, cols, g, spread, <f64>sum, smoothing);
    }
    x += at(cols);
    dx += at(cols);
  }
  store<real>(dx, <real>(reduction == 2 ? total / weights : total));
  return 0;
}

/**
 * y = -w[t] x[o, t, i] for x [outer, n, inner] and target [outer, inner], 0 where t = ignore.
 * Returns 0, or 1 + the first place whose target is outside [0, n).
 */
export function nllLoss(
  y: usize, x: usize, target: usize, w: usize, outer: i32, n: i32, inner: i32, ignore: i32, reduction: i32,
): i32 {
  let total: f64 = 0, weights: f64 = 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const r = o * inner + i;
      const t = label(target, r);
      let loss: f64 = 0;
      if (t != ignore) {
        if (<u32>t >= <u32>n) return r + 1;
        const own = weight(w, t);
        loss = -own * <f64>load<real>(x + at((o * n + t) * inner + i));
        weights += own;
      }
      if (reduction == 0) store<real>(y + at(r), <real>loss);
      total += loss;
    }
  }
  if (reduction == 1) store<real>(y, <real>total);
  if (reduction == 2) store<real>(y, <real>(total / weights));
  return 0;
}

/** dx = -w[t] dy / divisor at the targets, 0 elsewhere. */
export function nllLossGrad(
  dx: usize, dy: usize, target: usize, w: usize, outer: i32, n: i32, inner: i32, ignore: i32, reduction: i32,
): void {
  const d = divisor(target, w, outer * inner, ignore, reduction);
  memory.fill(dx, 0, at(outer * n * inner));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const r = o * inner + i;
      const t = label(target, r);
      if (t == ignore) continue;
      const g = <f64>load<real>(reduction == 0 ? dy + at(r) : dy);
      store<real>(dx + at((o * n + t) * inner + i), <real>((-weight(w, t) * g) / d));
    }
  }
}

/** y[r] = 1 where the first largest element of row r is not the target's, else 0. */
export function zeroOneLoss(y: usize, x: usize, target: usize, rows: i32, cols: i32): void {
  for (let r = 0; r < rows; r++) {
    const m = largest(x, cols);
    let i = 0;
    while (i < cols && load<real>(x + at(i)) != m) i++;
    store<real>(y + at(r), i == label(target, r) ? 0 : 1);
    x += at(cols);
  }
}
