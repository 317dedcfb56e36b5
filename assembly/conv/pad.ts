// A padded copy of an image, so that the loops behind it ask for no border; with a stride its columns lie by residue, so that
// neighbours in the output are neighbours in memory.
import { LANES, at, evens } from "../vector";
import { ELEMENT } from "../gemm/tile";

/** target[c, r, f, q] = x[c, r - top, q * step + f - left], `value` outside of x; c < channels, r < rows, f < step, q < cols. */
export function padPlanes(
  target: usize, x: usize, channels: i32, height: i32, width: i32, top: i32, left: i32, rows: i32, step: i32, cols: i32, value: real,
): void {
  for (let c = 0; c < channels; c++) {
    for (let r = 0; r < rows; r++) {
      const i = r - top;
      if (i < 0 || i >= height) {
        fillRow(target, step * cols, value);
        target += at(step * cols);
        continue;
      }
      for (let f = 0; f < step; f++) {
        padRow(target, x + at(i * width), width, f - left, step, cols, value);
        target += at(cols);
      }
    }
    x += at(height * width);
  }
}

/** target[q] = x[q * step + first]. */
function padRow(target: usize, x: usize, width: i32, first: i32, step: i32, cols: i32, value: real): void {
  const low = first >= 0 ? 0 : min(cols, (step - 1 - first) / step);
  const high = first >= width ? low : max(low, min(cols, (width - first + step - 1) / step));
  fillRow(target, low, value);
  copyStrided(target + at(low), x + at(low * step + first), high - low, step);
  fillRow(target + at(high), cols - high, value);
}

function fillRow(target: usize, n: i32, value: real): void {
  const v = v128.splat<real>(value);
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(target + at(i), v);
  for (; i < n; i++) store<real>(target + at(i), value);
}

/** target[i] = x[i step]; reads up to the last of these elements. */
// @ts-ignore: decorator
@inline function copyStrided(target: usize, x: usize, n: i32, step: i32): void {
  let i = 0;
  if (step == 1) for (; i + LANES <= n; i += LANES) v128.store(target + at(i), v128.load(x + at(i)));
  else if (step == 2) {
    for (; i + LANES < n; i += LANES) v128.store(target + at(i), evens(v128.load(x + at(2 * i)), v128.load(x + at(2 * i), 16)));
  }
  const across = at(step);
  for (x += across * <usize>i, target += at(i); i < n; i++, x += across, target += ELEMENT) store<real>(target, load<real>(x));
}
