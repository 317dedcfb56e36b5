// Pooling of planes [height, width]: positions of maxima, elements picked by position, means over windows; and what runs back.
import { forwardTaps, lineOf, span } from "./conv/geometry";
import { padPlanes } from "./conv/pad";
import { paddedBytes, tableBytes } from "./conv/scratch";
import { LANES, SHIFT, at, evens, odds } from "./vector";

/** Whether windows of 2 x 2 that touch lie within the plane, a vector of them or more in a row. */
// @ts-ignore: decorator
@inline function tiles(height: i32, width: i32, outHeight: i32, outWidth: i32, top: i32, left: i32): bool {
  return top == 0 && left == 0 && outWidth >= LANES && outWidth <= width >> 1 && outHeight <= height >> 1;
}

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
  if (
    kernelHeight == 2 && kernelWidth == 2 && strideY == 2 && strideX == 2 && dilationY == 1 && dilationX == 1
    && tiles(height, width, outHeight, outWidth, top, left)
  ) return maxIndices2x2(y, x, planes, height, width, outHeight, outWidth);
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

/** y = the element that maxPoolIndices finds, -Infinity where there is none. */
export function maxPool(
  y: usize, x: usize, scratch: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32,
): void {
  if (
    kernelHeight == 2 && kernelWidth == 2 && strideY == 2 && strideX == 2 && dilationY == 1 && dilationX == 1
    && tiles(height, width, outHeight, outWidth, top, left)
  ) return max2x2(y, x, planes, height, width, outHeight, outWidth);
  const rows = span(outHeight, strideY, kernelHeight, dilationY), cols = lineOf(outWidth, strideX, kernelWidth, dilationX);
  const k = kernelHeight * kernelWidth, padded = scratch + <usize>tableBytes(<f64>k), line = at(strideX * cols);
  forwardTaps(scratch, 1, rows, cols, strideX, kernelHeight, kernelWidth, dilationY, dilationX);
  for (let p = 0; p < planes; p++, x += at(height * width)) {
    padPlanes(padded, x, 1, height, width, top, left, rows, strideX, cols, -Infinity);
    for (let i = 0; i < outHeight; i++) {
      const from = padded + line * <usize>(i * strideY);
      for (let j = 0; j < outWidth; j += LANES) {
        let most = v128.splat<real>(-Infinity);
        for (let t: usize = 0; t < <usize>k << 2; t += 4) {
          const value = v128.load(from + at(j) + <usize>load<u32>(scratch + t));
          most = v128.bitselect(value, most, larger(value, most));
        }
        const count = min(LANES, outWidth - j);
        if (count == LANES) v128.store(y, most);
        else for (let lane = 0; lane < count; lane++) store<real>(y + at(lane), elementOf(most, lane));
        y += at(count);
      }
    }
  }
}

/** One lane of a vector of elements that is not whole. */
// @ts-ignore: decorator
@inline function elementOf(x: v128, lane: i32): real {
  if (sizeof<real>() == 8 || lane == 0) return v128.extract_lane<real>(x, 0);
  return lane == 1 ? v128.extract_lane<real>(x, 1) : <real>f32x4.extract_lane(x, 2);
}

/** As maxPool, for windows of 2 x 2 that touch. */
function max2x2(y: usize, x: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32): void {
  const line = at(width);
  for (let p = 0; p < planes; p++, x += line * <usize>height) {
    for (let i = 0; i < outHeight; i++, y += at(outWidth)) {
      const from = x + line * <usize>(2 * i);
      for (let j = 0; j < outWidth; j += LANES) {
        const first = min(j, outWidth - LANES); // the last vector goes over some again
        const a = v128.load(from + at(2 * first)), b = v128.load(from + at(2 * first), 16);
        const c = v128.load(from + line + at(2 * first)), d = v128.load(from + line + at(2 * first), 16);
        let most = evens(a, b);
        let value = odds(a, b);
        most = v128.bitselect(value, most, larger(value, most));
        value = evens(c, d);
        most = v128.bitselect(value, most, larger(value, most));
        value = odds(c, d);
        v128.store(y + at(first), v128.bitselect(value, most, larger(value, most)));
      }
    }
  }
}

/** As maxPoolIndices, for windows of 2 x 2 that touch. */
function maxIndices2x2(y: usize, x: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32): void {
  const line = at(width), steps = ramp(2), right = splatIndex(1), down = splatIndex(width), across = splatIndex(width + 1);
  for (let p = 0; p < planes; p++, x += line * <usize>height) {
    for (let i = 0; i < outHeight; i++, y += <usize>outWidth << 2) {
      const from = x + line * <usize>(2 * i);
      for (let j = 0; j < outWidth; j += LANES) {
        const first = min(j, outWidth - LANES); // the last vector goes over some again
        const a = v128.load(from + at(2 * first)), b = v128.load(from + at(2 * first), 16);
        const c = v128.load(from + line + at(2 * first)), d = v128.load(from + line + at(2 * first), 16);
        const corner = addIndex(splatIndex(2 * (i * width + first)), steps);
        let most = evens(a, b), best = corner;
        let value = odds(a, b), wins = larger(value, most);
        most = v128.bitselect(value, most, wins);
        best = v128.bitselect(addIndex(corner, right), best, wins);
        value = evens(c, d);
        wins = larger(value, most);
        most = v128.bitselect(value, most, wins);
        best = v128.bitselect(addIndex(corner, down), best, wins);
        value = odds(c, d);
        best = v128.bitselect(addIndex(corner, across), best, larger(value, most));
        const to = y + (<usize>first << 2);
        if (sizeof<real>() == 4) v128.store(to, best);
        else v128.store64_lane(to, i32x4.shuffle(best, best, 0, 2, 0, 2), 0);
      }
    }
  }
}

/** Whether a later tap takes the place of what is largest so far. */
// @ts-ignore: decorator
@inline function larger(value: v128, most: v128): v128 {
  return v128.or(v128.gt<real>(value, most), v128.ne<real>(value, value));
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
    const wins = larger(value, most);
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

/** Whether the windows are [0, 2), [2, 4) ... with one divisor. */
// @ts-ignore: decorator
@inline function inPairs(windows: usize, n: i32): bool {
  for (let i = 0; i < n; i++) {
    if (field(windows, i, 0) != 2 * i || field(windows, i, 1) != 2 * i + 2 || field(windows, i, 2) != field(windows, 0, 2)) return false;
  }
  return true;
}

/** y[p, i, j] = sum of x over rowWindows[i] and colWindows[j] / (their divisors); scratch: one line of x. */
export function windowMean(
  y: usize, x: usize, rowWindows: usize, colWindows: usize, scratch: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  if (outWidth >= LANES && inPairs(rowWindows, outHeight) && inPairs(colWindows, outWidth)) {
    const divisor = <real>field(rowWindows, 0, 2) * <real>field(colWindows, 0, 2);
    if (divisor != 0) return mean2x2(y, x, divisor, planes, height, width, outHeight, outWidth);
  }
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

/** As windowMean, for windows of 2 x 2 that touch. Adding 0 makes -0 the 0 of a sum that begins with 0. */
function mean2x2(y: usize, x: usize, divisor: real, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32): void {
  const line = at(width), zero = v128.splat<real>(0), d = v128.splat<real>(divisor);
  for (let p = 0; p < planes; p++, x += line * <usize>height) {
    for (let i = 0; i < outHeight; i++, y += at(outWidth)) {
      const from = x + line * <usize>(2 * i);
      for (let j = 0; j < outWidth; j += LANES) {
        const first = min(j, outWidth - LANES); // the last vector goes over some again
        const a = v128.add<real>(v128.load(from + at(2 * first)), v128.load(from + line + at(2 * first)));
        const b = v128.add<real>(v128.load(from + at(2 * first), 16), v128.load(from + line + at(2 * first), 16));
        v128.store(y + at(first), v128.div<real>(v128.add<real>(v128.add<real>(evens(a, b), odds(a, b)), zero), d));
      }
    }
  }
}

/** As windowMeanGrad, for windows of 2 x 2 that touch and lie in dx; beside them it stays as it is. */
function meanGrad2x2(dx: usize, dy: usize, divisor: real, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32): void {
  const line = at(width), zero = v128.splat<real>(0), d = v128.splat<real>(divisor);
  for (let p = 0; p < planes; p++, dx += line * <usize>height) {
    for (let i = 0; i < outHeight; i++, dy += at(outWidth)) {
      const to = dx + line * <usize>(2 * i);
      for (let j = 0; j < outWidth; j += LANES) {
        const first = min(j, outWidth - LANES); // the last vector goes over some again
        const share = v128.add<real>(v128.div<real>(v128.load(dy + at(first)), d), zero);
        const low = sizeof<real>() == 8 ? v128.shuffle<f64>(share, share, 0, 0) : v128.shuffle<f32>(share, share, 0, 0, 1, 1);
        const high = sizeof<real>() == 8 ? v128.shuffle<f64>(share, share, 1, 1) : v128.shuffle<f32>(share, share, 2, 2, 3, 3);
        v128.store(to + at(2 * first), low);
        v128.store(to + at(2 * first), high, 16);
        v128.store(to + line + at(2 * first), low);
        v128.store(to + line + at(2 * first), high, 16);
      }
    }
  }
}

/** dx[p, r, c] = sum of dy[p, i, j] / divisors over the windows that hold (r, c). */
export function windowMeanGrad(
  dx: usize, dy: usize, rowWindows: usize, colWindows: usize, scratch: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  const paired = outWidth >= LANES && inPairs(rowWindows, outHeight) && inPairs(colWindows, outWidth);
  const common = paired ? <real>field(rowWindows, 0, 2) * <real>field(colWindows, 0, 2) : 0;
  const covered = common != 0 && height == 2 * outHeight && width == 2 * outWidth;
  if (!covered) memory.fill(dx, 0, (<usize>planes * <usize>(height * width)) << SHIFT);
  if (common != 0) return meanGrad2x2(dx, dy, common, planes, height, width, outHeight, outWidth);
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
