// Panels for the register tile, filled from a padded image. A table of offsets (u32, bytes) says where each tap of the filter
// reads: for the pixel at `base` tap k reads base + taps[k].
import { LANES, at } from "../vector";
import { One, Two } from "../gemm/tile";
import { transposeRows } from "../gemm/pack";

// @ts-ignore: decorator
@inline function vectors<V>(): i32 {
  return changetype<V>(0).count();
}

/**
 * panel[k, j] = tap k of pixel j: V vectors of pixels from (row, q) on, counted in lines of `cols`, `line` bytes apart. `count` of
 * them are wanted, what lies behind is anything. Whole vectors are stored, in ascending order: what runs over is overwritten.
 */
export function pixelPanel<V>(panel: usize, base: usize, line: usize, q: i32, cols: i32, count: i32, taps: usize, k: i32): void {
  const step = at(vectors<V>() * LANES), end = taps + (<usize>k << 2), first = cols - q;
  if (first >= count) {
    for (; taps != end; taps += 4, panel += step) put<V>(panel, base + <usize>load<u32>(taps));
    return;
  }
  const second = base - at(q) + line;
  if (first + cols >= count) {
    const behind = at(first);
    for (; taps != end; taps += 4, panel += step) {
      const tap = <usize>load<u32>(taps);
      put<V>(panel, base + tap);
      put<V>(panel + behind, second + tap);
    }
    return;
  }
  for (; taps != end; taps += 4, panel += step) {
    const tap = <usize>load<u32>(taps);
    put<V>(panel, base + tap);
    for (let j = first, from = second + tap; j < count; j += cols, from += line) put<V>(panel + at(j), from);
  }
}

// @ts-ignore: decorator
@inline function put<V>(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  if (vectors<V>() > 1) v128.store(to, v128.load(from, 16), 16);
}

/**
 * panel[p, j] = tap j of pixel p: `columns` taps, the last one repeated up to `width`, over rows x cols pixels in lines `line` bytes
 * apart. LANES x LANES are transposed in registers; the last rows of a line run over and are overwritten.
 */
export function tapPanel(panel: usize, source: usize, line: usize, taps: usize, columns: i32, width: i32, rows: i32, cols: i32): void {
  const step = at(width);
  for (let j = 0; j < width; j += LANES) {
    const t0 = tapOf(taps, j, columns), t1 = tapOf(taps, j + 1, columns);
    const t2 = LANES > 2 ? tapOf(taps, j + 2, columns) : 0, t3 = LANES > 2 ? tapOf(taps, j + 3, columns) : 0;
    for (let r = 0; r < rows; r++) {
      let from = source + line * <usize>r, to = panel + at(j) + step * <usize>(r * cols);
      for (let q = 0; q < cols; q += LANES, from += 16, to += step * LANES) {
        transposeRows(to, step, from + t0, from + t1, from + t2, from + t3);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function tapOf(taps: usize, j: i32, columns: i32): usize {
  return <usize>load<u32>(taps + (<usize>min(j, columns - 1) << 2));
}
