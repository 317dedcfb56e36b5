// Optimizer updates, fused. Hyperparameters stand in cells (f64) in memory, so a schedule changes a number there and
// nothing is traced anew.
import { C, constant } from "./constants";
import { LANES, at } from "./vector";

/**
 * Zero below 2^-116 (f32) or 2^-1012 (f64). The moments of a weight whose gradient stays 0 decay into subnormal numbers,
 * on which a processor is many times slower: MNIST at batch 16 took 1.5 instead of 0.4 ms a step.
 */
// @ts-ignore: decorator
@inline function flush(x: v128): v128 {
  return v128.andnot(x, v128.lt<real>(v128.andnot(x, constant(C.sign)), constant(C.tiny)));
}

/** SGD with momentum (Sutskever et al. 2013, as in PyTorch). Cells: lr, momentum, dampening, weight decay. */
export function sgd(w: usize, g: usize, cells: usize, n: i32): void {
  const lr = v128.splat<real>(<real>-load<f64>(cells));
  const decay = v128.splat<real>(<real>load<f64>(cells, 24));
  let i = 0;
  for (; i + LANES <= n; i += LANES) {
    const x = v128.load(w + at(i));
    v128.store(w + at(i), madd(lr, madd(decay, x, v128.load(g + at(i))), x));
  }
  for (; i < n; i++) {
    const x = v128.splat<real>(load<real>(w + at(i)));
    const d = v128.splat<real>(load<real>(g + at(i)));
    store<real>(w + at(i), v128.extract_lane<real>(madd(lr, madd(decay, x, d), x), 0));
  }
}

/** v = momentum v + (1 - dampening) g, or g at the first step, when `steps` (f64) is 0; w -= lr (nesterov ? g + momentum v : v). */
export function sgdMomentum(w: usize, g: usize, v: usize, cells: usize, steps: usize, n: i32, nesterov: i32): void {
  const first = load<f64>(steps) == 0;
  const lr = <real>load<f64>(cells);
  const momentum = first ? <real>0 : <real>load<f64>(cells, 8);
  const keep = first ? <real>1 : <real>(1 - load<f64>(cells, 16));
  const look = <real>load<f64>(cells, 8);
  const decay = <real>load<f64>(cells, 24);
  for (let i = 0; i < n; i++) {
    const x = load<real>(w + at(i));
    const d = load<real>(g + at(i)) + decay * x;
    const u = v128.extract_lane<real>(flush(v128.splat<real>((first ? <real>0 : momentum * load<real>(v + at(i))) + keep * d)), 0);
    store<real>(v + at(i), u);
    store<real>(w + at(i), x - lr * (nesterov ? d + look * u : u));
  }
}

/** Counts a step of sgdMomentum, which asks whether it is the first. */
export function sgdAdvance(steps: usize): void {
  store<f64>(steps, load<f64>(steps) + 1);
}

/** Counts a step: cells 5 to 7 hold beta1^t, beta2^t, t. Cells: lr, beta1, beta2, eps, decay, beta1^t, beta2^t, t. */
export function adamAdvance(cells: usize): void {
  store<f64>(cells, load<f64>(cells, 40) * load<f64>(cells, 8), 40);
  store<f64>(cells, load<f64>(cells, 48) * load<f64>(cells, 16), 48);
  store<f64>(cells, load<f64>(cells, 56) + 1, 56);
}

// @ts-ignore: decorator
@inline function moment(x: v128, flushing: bool): v128 {
  return flushing ? flush(x) : x;
}

// @ts-ignore: decorator
@inline function adamLoop(w: usize, g: usize, m: usize, v: usize, cells: usize, n: i32, flushing: bool): void {
  const beta1 = load<f64>(cells, 8), beta2 = load<f64>(cells, 16);
  const b1 = v128.splat<real>(<real>beta1), c1 = v128.splat<real>(<real>(1 - beta1));
  const b2 = v128.splat<real>(<real>beta2), c2 = v128.splat<real>(<real>(1 - beta2));
  const eps = v128.splat<real>(<real>load<f64>(cells, 24));
  const decay = v128.splat<real>(<real>load<f64>(cells, 32));
  const step = v128.splat<real>(<real>(-load<f64>(cells) / (1 - load<f64>(cells, 40))));
  const correction = v128.splat<real>(<real>(1 / sqrt<f64>(1 - load<f64>(cells, 48))));
  for (const end = w + at(n & ~(2 * LANES - 1)); w != end; w += 32, g += 32, m += 32, v += 32) {
    const x0 = v128.load(w), x1 = v128.load(w, 16);
    const d0 = madd(decay, x0, v128.load(g)), d1 = madd(decay, x1, v128.load(g, 16));
    const q0 = moment(madd(v128.mul<real>(c2, d0), d0, v128.mul<real>(b2, v128.load(v))), flushing);
    const q1 = moment(madd(v128.mul<real>(c2, d1), d1, v128.mul<real>(b2, v128.load(v, 16))), flushing);
    v128.store(v, q0);
    v128.store(v, q1, 16);
    const root0 = madd(v128.sqrt<real>(q0), correction, eps), root1 = madd(v128.sqrt<real>(q1), correction, eps);
    const p0 = moment(madd(c1, d0, v128.mul<real>(b1, v128.load(m))), flushing);
    const p1 = moment(madd(c1, d1, v128.mul<real>(b1, v128.load(m, 16))), flushing);
    v128.store(m, p0);
    v128.store(m, p1, 16);
    v128.store(w, madd(step, v128.div<real>(p0, root0), x0));
    v128.store(w, madd(step, v128.div<real>(p1, root1), x1), 16);
  }
  n &= 2 * LANES - 1;
  let i = 0;
  for (; i < n; i++) {
    const x = v128.splat<real>(load<real>(w + at(i)));
    const d = madd(decay, x, v128.splat<real>(load<real>(g + at(i))));
    const p = moment(madd(c1, d, v128.mul<real>(b1, v128.splat<real>(load<real>(m + at(i))))), flushing);
    const q = moment(madd(v128.mul<real>(c2, d), d, v128.mul<real>(b2, v128.splat<real>(load<real>(v + at(i))))), flushing);
    store<real>(m + at(i), v128.extract_lane<real>(p, 0));
    store<real>(v + at(i), v128.extract_lane<real>(q, 0));
    const root = madd(v128.sqrt<real>(q), correction, eps);
    store<real>(w + at(i), v128.extract_lane<real>(madd(step, v128.div<real>(p, root), x), 0));
  }
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
 * w -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps). Moments are flushed at every eighth step, which costs a
 * fifth of the loop's time and is early enough: 0.9^8 is 2^-1.2, and the threshold lies 2^10 above the subnormals.
 * Vectors go in pairs, which Node 24 runs as one of 256 bits: 0.47 instead of 0.69 ns an element.
 */
export function adam(w: usize, g: usize, m: usize, v: usize, cells: usize, n: i32): void {
  if ((<i32>load<f64>(cells, 56) & 7) == 0) adamLoop(w, g, m, v, cells, n, true);
  else adamLoop(w, g, m, v, cells, n, false);
}
