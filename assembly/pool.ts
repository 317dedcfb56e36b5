// Pooling of planes [height, width]: positions of maxima, elements picked by position, means over windows; and what runs back.
import { forwardTaps, lineOf, span } from "./conv/geometry";
import { padPlanes } from "./conv/pad";
import { paddedBytes, tableBytes } from "./conv/scratch";
import { LANES, SHIFT, at } from "./vector";

/** Bytes of scratch: a padded plane, the offsets of the taps, the first column of each window. */
export function maxPoolScratchBytes(
  outHeight: i32, outWidth: i32, kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32,
): f64 {
  const rows = span(outHeight, strideY, kernelHeight, dilationY), cols = lineOf(outWidth, strideX, kernelWidth, dilationX);
  return 2 * tableBytes(<f64>kernelHeight * <f64>kernelWidth) + tableBytes(<f64>(outWidth + LANES)) + paddedBytes(1, rows, strideX * cols);
}

/**
 * y (int32) = position in its plane of the largest element of each window: the first of equals, the last NaN if there is one,
 * -1 for a window that lies outside of the plane. A plane is copied with -Infinity around it, so that the windows of a vector of
 * outputs are compared tap by tap without a branch.
 */
export function maxPoolIndices(
  y: usize, x: usize, scratch: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32,
): void {
  const rows = span(outHeight, strideY, kernelHeight, dilationY), cols = lineOf(outWidth, strideX, kernelWidth, dilationX);
  const k = kernelHeight * kernelWidth, table = <usize>tableBytes(<f64>k), taps = scratch, shifts = taps + table, begins = shifts + table;
  const padded = begins + <usize>tableBytes(<f64>(outWidth + LANES)), line = at(strideX * cols);
  forwardTaps(taps, 1, rows, cols, strideX, kernelHeight, kernelWidth, dilationY, dilationX);
  for (let u = 0, to = shifts; u < kernelHeight; u++) {
    for (let v = 0; v < kernelWidth; v++, to += 4) store<i32>(to, u * dilationY * width + v * dilationX);
  }
  for (let j = 0; j < outWidth; j++) {
    const first = j * strideX - left, column = begin(first, dilationX);
    store<i32>(begins + (<usize>j << 2), column < finish(first, kernelWidth, dilationX, width) ? column : -1);
  }
  for (let p = 0; p < planes; p++, x += at(height * width)) {
    padPlanes(padded, x, 1, height, width, top, left, rows, strideX, cols, -Infinity);
    for (let i = 0; i < outHeight; i++) {
      const first = i * strideY - top, row = begin(first, dilationY), empty = row >= finish(first, kernelHeight, dilationY, height);
      const from = padded + line * <usize>(i * strideY);
      for (let j = 0; j < outWidth; j += LANES) {
        const start = empty ? i32x4.splat(-1) : firstOf(begins + (<usize>j << 2), row * width);
        const best = largest(from + at(j), taps, shifts, k, first * width + j * strideX - left, strideX, start);
        const count = min(LANES, outWidth - j);
        if (sizeof<real>() == 4 && count == LANES) v128.store(y, best);
        else for (let lane = 0; lane < count; lane++) store<i32>(y + (<usize>lane << 2), laneOf(best, lane));
        y += <usize>count << 2;
      }
    }
  }
}

// Positions are integers as wide as an element, so that a comparison of elements selects them.

/** The first element of each window of a vector, in a row of the plane; -1 where there is none. */
// @ts-ignore: decorator
@inline function firstOf(begins: usize, row: i32): v128 {
  if (sizeof<real>() == 8) {
    const columns = i64x2.extend_low_i32x4_s(v128.load64_zero(begins));
    return v128.or(i64x2.add(columns, i64x2.splat(<i64>row)), i64x2.shr_s(columns, 63));
  }
  const columns = v128.load(begins);
  return v128.or(i32x4.add(columns, i32x4.splat(row)), i32x4.shr_s(columns, 31));
}

// @ts-ignore: decorator
@inline function splatIndex(i: i32): v128 {
  return sizeof<real>() == 8 ? i64x2.splat(<i64>i) : i32x4.splat(i);
}

// @ts-ignore: decorator
@inline function addIndex(a: v128, b: v128): v128 {
  return sizeof<real>() == 8 ? i64x2.add(a, b) : i32x4.add(a, b);
}

/** 0, step, 2 step ... */
// @ts-ignore: decorator
@inline function ramp(step: i32): v128 {
  if (sizeof<real>() == 8) return i64x2.replace_lane(i64x2.splat(0), 1, <i64>step);
  return i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(step));
}

/** Where the largest tap of each of LANES windows stands; `corner` is the position of the first tap of the first. */
// @ts-ignore: decorator
@inline function largest(from: usize, taps: usize, shifts: usize, k: i32, corner: i32, step: i32, best: v128): v128 {
  const corners = addIndex(splatIndex(corner), ramp(step));
  let most = v128.splat<real>(-Infinity);
  for (let t: usize = 0; t < <usize>k << 2; t += 4) {
    const value = v128.load(from + <usize>load<u32>(taps + t));
    const wins = v128.or(v128.gt<real>(value, most), v128.ne<real>(value, value));
    most = v128.bitselect(value, most, wins);
    best = v128.bitselect(addIndex(corners, splatIndex(load<i32>(shifts + t))), best, wins);
  }
  return best;
}

/** One lane of a vector of positions. */
// @ts-ignore: decorator
@inline function laneOf(best: v128, lane: i32): i32 {
  if (sizeof<real>() == 8) return <i32>(lane == 0 ? i64x2.extract_lane(best, 0) : i64x2.extract_lane(best, 1));
  if (lane == 0) return i32x4.extract_lane(best, 0);
  return lane == 1 ? i32x4.extract_lane(best, 1) : lane == 2 ? i32x4.extract_lane(best, 2) : i32x4.extract_lane(best, 3);
}

/** First tap at or after 0 of a window that begins at `first`. */
// @ts-ignore: decorator
@inline function begin(first: i32, dilation: i32): i32 {
  return first >= 0 ? first : first + (dilation - 1 - first) / dilation * dilation;
}

/** Behind its last tap, at most `size`. */
// @ts-ignore: decorator
@inline function finish(first: i32, kernel: i32, dilation: i32, size: i32): i32 {
  return min(first + (kernel - 1) * dilation + 1, size);
}

/** y[p, j] = x[p, index[p, j]], or `value` where the index is negative; n elements of y and m of x a plane. */
export function planeGather(y: usize, x: usize, index: usize, planes: i32, n: i32, m: i32, value: real): void {
  for (let p = 0; p < planes; p++, x += at(m)) {
    for (let j = 0; j < n; j++, y += sizeof<real>(), index += 4) {
      const i = load<i32>(index);
      store<real>(y, i < 0 ? value : load<real>(x + at(i)));
    }
  }
}

/** dx[p, i] = sum of dy[p, j] over the j with index[p, j] = i, ascending. */
export function planeScatter(dx: usize, dy: usize, index: usize, planes: i32, n: i32, m: i32): void {
  memory.fill(dx, 0, (<usize>planes * <usize>m) << SHIFT);
  for (let p = 0; p < planes; p++, dx += at(m)) {
    for (let j = 0; j < n; j++, dy += sizeof<real>(), index += 4) {
      const i = load<i32>(index);
      if (i >= 0) store<real>(dx + at(i), load<real>(dx + at(i)) + load<real>(dy));
    }
  }
}

// A window along an axis is three numbers (int32): first element, end, and its part of the divisor.
// @ts-ignore: decorator
@inline function field(windows: usize, i: i32, j: i32): i32 {
  return load<i32>(windows + (<usize>(i * 3 + j) << 2));
}

/** to[i] = to[i] + from[i]. */
// @ts-ignore: decorator
@inline function addRow(to: usize, from: usize, n: i32): void {
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(to + at(i), v128.add<real>(v128.load(to + at(i)), v128.load(from + at(i))));
  for (; i < n; i++) store<real>(to + at(i), load<real>(to + at(i)) + load<real>(from + at(i)));
}

/** y[p, i, j] = sum of x over rowWindows[i] and colWindows[j] / (their divisors); scratch: one line of x. */
export function windowMean(
  y: usize, x: usize, rowWindows: usize, colWindows: usize, scratch: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  for (let p = 0; p < planes; p++, x += at(height * width)) {
    for (let i = 0; i < outHeight; i++) {
      memory.fill(scratch, 0, at(width));
      for (let r = field(rowWindows, i, 0); r < field(rowWindows, i, 1); r++) addRow(scratch, x + at(r * width), width);
      const part = <real>field(rowWindows, i, 2);
      for (let j = 0; j < outWidth; j++, y += sizeof<real>()) {
        let total: real = 0;
        for (let c = field(colWindows, j, 0); c < field(colWindows, j, 1); c++) total += load<real>(scratch + at(c));
        const divisor = part * <real>field(colWindows, j, 2);
        store<real>(y, divisor != 0 ? total / divisor : 0);
      }
    }
  }
}

/** dx[p, r, c] = sum of dy[p, i, j] / divisors over the windows that hold (r, c). */
export function windowMeanGrad(
  dx: usize, dy: usize, rowWindows: usize, colWindows: usize, scratch: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  memory.fill(dx, 0, (<usize>planes * <usize>(height * width)) << SHIFT);
  for (let p = 0; p < planes; p++, dx += at(height * width)) {
    for (let i = 0; i < outHeight; i++) {
      memory.fill(scratch, 0, at(width));
      const part = <real>field(rowWindows, i, 2);
      for (let j = 0; j < outWidth; j++, dy += sizeof<real>()) {
        const divisor = part * <real>field(colWindows, j, 2);
        const share: real = divisor != 0 ? load<real>(dy) / divisor : 0;
        for (let c = field(colWindows, j, 0); c < field(colWindows, j, 1); c++) store<real>(scratch + at(c), load<real>(scratch + at(c)) + share);
      }
      for (let r = field(rowWindows, i, 0); r < field(rowWindows, i, 1); r++) addRow(dx + at(r * width), scratch, width);
    }
  }
}
