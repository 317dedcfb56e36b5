// Resampling of planes [height, width] along both axes, and its transpose. Line i of the output mixes `taps` lines of the input:
// rowIndex[i, a] (int32) with rowWeight[i, a] (real), and so its columns.
import { LANES, SHIFT, at, lane0 } from "./vector";

// @ts-ignore: decorator
@inline function indexAt(index: usize, i: i32): i32 {
  return load<i32>(index + (<usize>i << 2));
}

/** y[i] = scale x[i]; with `add` y[i] + scale x[i]. */
// @ts-ignore: decorator
@inline function mix(y: usize, x: usize, scale: real, n: i32, add: bool): void {
  const s = v128.splat<real>(scale);
  let i = 0;
  if (add) {
    for (; i + LANES <= n; i += LANES) v128.store(y + at(i), madd(s, v128.load(x + at(i)), v128.load(y + at(i))));
    for (; i < n; i++) store<real>(y + at(i), lane0(madd(s, v128.splat<real>(load<real>(x + at(i))), v128.splat<real>(load<real>(y + at(i))))));
  } else {
    for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v128.mul<real>(s, v128.load(x + at(i))));
    for (; i < n; i++) store<real>(y + at(i), scale * load<real>(x + at(i)));
  }
}

/** y[p, i, j] = sum over a, e of rowWeight[i, a] colWeight[j, e] x[p, rowIndex[i, a], colIndex[j, e]]; scratch: one line of x. */
export function interpolate(
  y: usize, x: usize, rowIndex: usize, rowWeight: usize, colIndex: usize, colWeight: usize, scratch: usize,
  rowTaps: i32, colTaps: i32, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  for (let p = 0; p < planes; p++, x += at(height * width)) {
    for (let i = 0; i < outHeight; i++) {
      for (let a = 0; a < rowTaps; a++) {
        const t = i * rowTaps + a;
        mix(scratch, x + at(indexAt(rowIndex, t) * width), load<real>(rowWeight + at(t)), width, a > 0);
      }
      for (let j = 0, t = 0; j < outWidth; j++, y += sizeof<real>()) {
        let total: real = load<real>(colWeight + at(t)) * load<real>(scratch + at(indexAt(colIndex, t)));
        for (t++; t < (j + 1) * colTaps; t++) total += load<real>(colWeight + at(t)) * load<real>(scratch + at(indexAt(colIndex, t)));
        store<real>(y, total);
      }
    }
  }
}

/** dx[p, r, c] = sum of rowWeight[i, a] colWeight[j, e] dy[p, i, j] over what reads (r, c), in ascending order. */
export function interpolateGrad(
  dx: usize, dy: usize, rowIndex: usize, rowWeight: usize, colIndex: usize, colWeight: usize, scratch: usize,
  rowTaps: i32, colTaps: i32, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  memory.fill(dx, 0, (<usize>planes * <usize>(height * width)) << SHIFT);
  for (let p = 0; p < planes; p++, dx += at(height * width)) {
    for (let i = 0; i < outHeight; i++) {
      memory.fill(scratch, 0, at(width));
      for (let j = 0, t = 0; j < outWidth; j++, dy += sizeof<real>()) {
        const value = load<real>(dy);
        for (let e = 0; e < colTaps; e++, t++) {
          const to = scratch + at(indexAt(colIndex, t));
          store<real>(to, load<real>(to) + load<real>(colWeight + at(t)) * value);
        }
      }
      for (let a = 0; a < rowTaps; a++) {
        const t = i * rowTaps + a;
        mix(dx + at(indexAt(rowIndex, t) * width), scratch, load<real>(rowWeight + at(t)), width, true);
      }
    }
  }
}
