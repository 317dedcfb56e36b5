// Pooling of planes [height, width]: positions of maxima, elements picked by position, means over windows; and what runs back.
import { LANES, SHIFT, at } from "./vector";

/**
 * y (int32) = position in its plane of the largest element of each window: the first of equals, the last NaN if there is one,
 * -1 for a window that lies outside of the plane.
 */
export function maxPoolIndices(
  y: usize, x: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32,
): void {
  const plane = at(height * width);
  for (let p = 0; p < planes; p++, x += plane) {
    for (let i = 0; i < outHeight; i++) {
      const firstRow = begin(i * strideY - top, dilationY), endRow = finish(i * strideY - top, kernelHeight, dilationY, height);
      for (let j = 0; j < outWidth; j++, y += 4) {
        const firstCol = begin(j * strideX - left, dilationX), endCol = finish(j * strideX - left, kernelWidth, dilationX, width);
        let best = firstRow < endRow && firstCol < endCol ? firstRow * width + firstCol : -1;
        let most: real = -Infinity;
        for (let r = firstRow; r < endRow; r += dilationY) {
          for (let c = firstCol; c < endCol; c += dilationX) {
            const value = load<real>(x + at(r * width + c));
            if (value > most || value != value) {
              most = value;
              best = r * width + c;
            }
          }
        }
        store<i32>(y, best);
      }
    }
  }
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
