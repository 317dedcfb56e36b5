// Normalisation of x[outer, channels, inner] over outer and inner, a channel at a time (Ioffe and Szegedy 2015). `row` is from
// one outer index to the next, in elements: more than channels * inner where x is some of the channels of a whole; the same for all
// tensors with outer.
import { Full, One } from "./lanes";
import { Centred, Plain, Squares, total } from "./norm";
import { LANES, at } from "./vector";

/** Rows that are added in one vector; the sums of chunks are added in order. */
// @ts-ignore: decorator
@inline const ROW_CHUNK: i32 = 256;

/** Sum of Op's terms over outer for the columns at a, where inner is 1; c points to the columns' m. */
// @ts-ignore: decorator
@inline function columnTotal<Op, L>(a: usize, b: usize, m: v128, outer: i32, row: i32): v128 {
  let all = v128.splat<real>(0);
  for (let start = 0; start < outer; start += ROW_CHUNK) {
    const end = min(outer, start + ROW_CHUNK);
    let sum = v128.splat<real>(0);
    for (let o = start; o < end; o++) {
      const j = at(o * row);
      sum = v128.add<real>(sum, changetype<Op>(0).term<L>(a + j, b + j, b + j, m));
    }
    all = v128.add<real>(all, sum);
  }
  return all;
}

/** Sum of Op's terms over one channel. */
// @ts-ignore: decorator
@inline function channelTotal<Op>(a: usize, b: usize, c: i32, outer: i32, row: i32, inner: i32, m: real): f64 {
  let all: f64 = 0;
  for (let o = 0; o < outer; o++) {
    const j = at(o * row + c * inner);
    all += total<Op>(a + j, b + j, b + j, inner, m);
  }
  return all;
}

// @ts-ignore: decorator
@inline function columnStats<L>(mean: usize, variance: usize, x: usize, outer: i32, row: i32): void {
  const count = v128.splat<real>(<real>outer), zero = v128.splat<real>(0);
  const m = v128.div<real>(columnTotal<Plain, L>(x, x, zero, outer, row), count);
  changetype<L>(0).store(mean, m);
  changetype<L>(0).store(variance, v128.div<real>(columnTotal<Squares, L>(x, x, m, outer, row), count));
}

/** Means and variances (over the number of elements) of the channels. */
export function batchStats(mean: usize, variance: usize, x: usize, outer: i32, channels: i32, inner: i32, row: i32): void {
  if (inner == 1) {
    let c = 0;
    for (; c + LANES <= channels; c += LANES) columnStats<Full>(mean + at(c), variance + at(c), x + at(c), outer, row);
    for (; c < channels; c++) columnStats<One>(mean + at(c), variance + at(c), x + at(c), outer, row);
    return;
  }
  const count = <f64>outer * <f64>inner;
  for (let c = 0; c < channels; c++) {
    const m = <real>(channelTotal<Plain>(x, x, c, outer, row, inner, 0) / count);
    store<real>(mean + at(c), m);
    store<real>(variance + at(c), <real>(channelTotal<Squares>(x, x, c, outer, row, inner, m) / count));
  }
}

// @ts-ignore: decorator
@inline function inverse(variance: usize, c: i32, eps: f64): f64 {
  return 1 / sqrt<f64>(<f64>load<real>(variance + at(c)) + eps);
}

// @ts-ignore: decorator
@inline function affine<L>(y: usize, x: usize, mean: v128, scale: v128, b: v128): void {
  changetype<L>(0).store(y, madd(v128.sub<real>(changetype<L>(0).load(x), mean), scale, b));
}

/** y = (x - mean) w / sqrt(variance + eps) + b; `scratch` holds an element a channel. */
export function batchNorm(
  y: usize, x: usize, mean: usize, variance: usize, w: usize, b: usize, scratch: usize,
  outer: i32, channels: i32, inner: i32, row: i32, eps: f64,
): void {
  const rest = at(row - channels * inner);
  for (let c = 0; c < channels; c++) store<real>(scratch + at(c), <real>(inverse(variance, c, eps) * <f64>load<real>(w + at(c))));
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      let c = 0;
      for (; c + LANES <= channels; c += LANES) {
        affine<Full>(y + at(c), x + at(c), v128.load(mean + at(c)), v128.load(scratch + at(c)), v128.load(b + at(c)));
      }
      for (; c < channels; c++) {
        affine<One>(
          y + at(c), x + at(c),
          v128.splat<real>(load<real>(mean + at(c))), v128.splat<real>(load<real>(scratch + at(c))), v128.splat<real>(load<real>(b + at(c))),
        );
      }
      x += at(channels) + rest;
      y += at(channels) + rest;
    } else {
      for (let c = 0; c < channels; c++) {
        const m = v128.splat<real>(load<real>(mean + at(c)));
        const scale = v128.splat<real>(load<real>(scratch + at(c)));
        const offset = v128.splat<real>(load<real>(b + at(c)));
        let i = 0;
        for (; i + LANES <= inner; i += LANES) affine<Full>(y + at(i), x + at(i), m, scale, offset);
        for (; i < inner; i++) affine<One>(y + at(i), x + at(i), m, scale, offset);
        x += at(inner);
        y += at(inner);
      }
      x += rest;
      y += rest;
    }
  }
}

// @ts-ignore: decorator
@inline function gradSums<L>(sums: usize, dots: usize, dy: usize, x: usize, mean: usize, outer: i32, row: i32): void {
  const zero = v128.splat<real>(0);
  changetype<L>(0).store(sums, columnTotal<Plain, L>(dy, x, zero, outer, row));
  changetype<L>(0).store(dots, columnTotal<Centred, L>(dy, x, changetype<L>(0).load(mean), outer, row));
}

/** sums[c] = sum of dy, dots[c] = sum of dy (x - mean). */
function channelSums(
  sums: usize, dots: usize, dy: usize, x: usize, mean: usize, outer: i32, channels: i32, inner: i32, row: i32,
): void {
  if (inner == 1) {
    let c = 0;
    for (; c + LANES <= channels; c += LANES) gradSums<Full>(sums + at(c), dots + at(c), dy + at(c), x + at(c), mean + at(c), outer, row);
    for (; c < channels; c++) gradSums<One>(sums + at(c), dots + at(c), dy + at(c), x + at(c), mean + at(c), outer, row);
    return;
  }
  for (let c = 0; c < channels; c++) {
    const m = load<real>(mean + at(c));
    store<real>(sums + at(c), <real>channelTotal<Plain>(dy, x, c, outer, row, inner, m));
    store<real>(dots + at(c), <real>channelTotal<Centred>(dy, x, c, outer, row, inner, m));
  }
}

// @ts-ignore: decorator
@inline function gradient<L>(dx: usize, dy: usize, x: usize, mean: v128, scale: v128, off: v128, slope: v128): void {
  const lanes = changetype<L>(0);
  const back = v128.mul<real>(v128.sub<real>(lanes.load(x), mean), slope);
  lanes.store(dx, v128.mul<real>(scale, v128.sub<real>(v128.sub<real>(lanes.load(dy), off), back)));
}

/** dx = w r (dy - mean(dy) - n mean(dy n)) with n = (x - mean) r; `scratch` holds three elements a channel. */
export function batchNormGrad(
  dx: usize, dy: usize, x: usize, mean: usize, variance: usize, w: usize, scratch: usize,
  outer: i32, channels: i32, inner: i32, row: i32, eps: f64,
): void {
  const rest = at(row - channels * inner);
  const offs = scratch, slopes = scratch + at(channels), scales = scratch + at(2 * channels);
  channelSums(offs, slopes, dy, x, mean, outer, channels, inner, row);
  const count = <f64>outer * <f64>inner;
  for (let c = 0; c < channels; c++) {
    const r = inverse(variance, c, eps);
    store<real>(offs + at(c), <real>(<f64>load<real>(offs + at(c)) / count));
    store<real>(slopes + at(c), <real>((<f64>load<real>(slopes + at(c)) * r * r) / count));
    store<real>(scales + at(c), <real>(r * <f64>load<real>(w + at(c))));
  }
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      let c = 0;
      for (; c + LANES <= channels; c += LANES) {
        const j = at(c);
        gradient<Full>(dx + j, dy + j, x + j, v128.load(mean + j), v128.load(scales + j), v128.load(offs + j), v128.load(slopes + j));
      }
      for (; c < channels; c++) {
        const j = at(c);
        const lanes = changetype<One>(0);
        gradient<One>(dx + j, dy + j, x + j, lanes.load(mean + j), lanes.load(scales + j), lanes.load(offs + j), lanes.load(slopes + j));
      }
      x += at(channels) + rest;
      dy += at(channels) + rest;
      dx += at(channels) + rest;
    } else {
      for (let c = 0; c < channels; c++) {
        const lanes = changetype<One>(0);
        const m = lanes.load(mean + at(c)), scale = lanes.load(scales + at(c)), off = lanes.load(offs + at(c)), slope = lanes.load(slopes + at(c));
        let i = 0;
        for (; i + LANES <= inner; i += LANES) gradient<Full>(dx + at(i), dy + at(i), x + at(i), m, scale, off, slope);
        for (; i < inner; i++) gradient<One>(dx + at(i), dy + at(i), x + at(i), m, scale, off, slope);
        x += at(inner);
        dy += at(inner);
        dx += at(inner);
      }
      x += rest;
      dy += rest;
      dx += rest;
    }
  }
}

/** y[c] = sum of dy (x - mean) r; `scratch` holds an element a channel. */
export function batchNormWeightGrad(
  y: usize, dy: usize, x: usize, mean: usize, variance: usize, scratch: usize,
  outer: i32, channels: i32, inner: i32, row: i32, eps: f64,
): void {
  channelSums(scratch, y, dy, x, mean, outer, channels, inner, row);
  for (let c = 0; c < channels; c++) store<real>(y + at(c), <real>(<f64>load<real>(y + at(c)) * inverse(variance, c, eps)));
}

/** running = (1 - momentum) running + momentum factor mean over `samples` rows of values[samples, n], rounded once. */
export function movingAverage(running: usize, values: usize, n: i32, samples: i32, momentum: f64, factor: f64): void {
  for (let c = 0; c < n; c++) {
    let total: f64 = 0;
    for (let s = 0; s < samples; s++) total += <f64>load<real>(values + at(s * n + c));
    store<real>(running + at(c), <real>((1 - momentum) * <f64>load<real>(running + at(c)) + (momentum * factor * total) / <f64>samples));
  }
}
