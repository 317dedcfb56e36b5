// A correlation over a grid of pixels, y[i, pixel] = start[i] + sum over k of a[i, k] source[pixel + taps[k]]: for a vector pair of
// pixels at a time their patch is copied into a panel, over which the register tile of the matrix product runs. Each element
// is one chain over ascending k, whichever way it is made.
import { LANES, at } from "../vector";
import { column } from "../gemm/column";
import { COLUMNS, ELEMENT, One, Packed, Two } from "../gemm/tile";
import { pixelPanel } from "./panel";
import { BLOCK_M, DIRECT } from "./scratch";

/**
 * y: rows yRow apart; pixel (r, q) of the rows x cols grid stands at r line + q step. start: rows startRow apart, COLUMNS wide, or
 * y itself if `add`. source: pixel (r, q) at r sourceLine + q elements. a: packed by packTiles. Distances in bytes.
 */
export function sweep(
  y: usize, yRow: usize, line: usize, step: usize, start: usize, startRow: usize, add: bool, source: usize, sourceLine: usize,
  taps: usize, a: usize, m: i32, k: i32, rows: i32, cols: i32, panel: usize, edge: usize,
): void {
  const count = rows * cols, edgeRow = at(COLUMNS), whole = step == ELEMENT && line == at(cols);
  for (let i = 0; i < m; i += BLOCK_M) {
    const height = min(BLOCK_M, m - i);
    let to = y, from = source, q = 0;
    for (let j = 0; j < count; j += COLUMNS) {
      const columns = min(COLUMNS, count - j), wide = columns > LANES;
      if (wide) pixelPanel<Two>(panel, from + at(q), sourceLine, q, cols, columns, taps, k);
      else pixelPanel<One>(panel, from + at(q), sourceLine, q, cols, columns, taps, k);
      const target = to + step * <usize>q;
      if ((columns == COLUMNS || columns == LANES) && (whole || (step == ELEMENT && q + columns <= cols))) {
        run(target, yRow, add ? target : start, add ? yRow : startRow, a, panel, height, k, wide);
      } else {
        if (add) scatter<Load>(edge, target, yRow, line, step, height, columns, q, cols);
        run(edge, edgeRow, add ? edge : start, add ? edgeRow : startRow, a, panel, height, k, wide);
        scatter<Store>(edge, target, yRow, line, step, height, columns, q, cols);
      }
      for (q += COLUMNS; q >= cols; q -= cols) {
        to += line;
        from += sourceLine;
      }
    }
    y += yRow * BLOCK_M;
    start += startRow * BLOCK_M;
    a += at(BLOCK_M * k);
  }
}

// @ts-ignore: decorator
@inline function run(c: usize, cRow: usize, start: usize, startRow: usize, a: usize, panel: usize, m: i32, k: i32, wide: bool): void {
  if (wide) column<Two, Packed>(c, cRow, start, startRow, a, at(k), 0, panel, at(COLUMNS), m, k);
  else column<One, Packed>(c, cRow, start, startRow, a, at(k), 0, panel, at(LANES), m, k);
}

class Load { @inline stores(): bool { return false; } }
class Store { @inline stores(): bool { return true; } }

/** Between the edge [m, COLUMNS] and the pixels from (., q) on, one by one. */
function scatter<D>(edge: usize, y: usize, yRow: usize, line: usize, step: usize, m: i32, columns: i32, q: i32, cols: i32): void {
  for (let j = 0; j < columns; j++, edge += ELEMENT) {
    let p = y, e = edge;
    for (let i = 0; i < m; i++, p += yRow, e += at(COLUMNS)) {
      if (changetype<D>(0).stores()) store<real>(p, load<real>(e));
      else store<real>(e, load<real>(p));
    }
    y += step;
    if (++q == cols) {
      q = 0;
      y += line - step * <usize>cols;
    }
  }
}

/**
 * The same without a panel, for few rows: four vectors of a line at a time, straight from the source. start: one value a row, or 0
 * for zeros. a: [m, k] as it lies.
 */
export function sweepDirect(
  y: usize, yRow: usize, line: usize, step: usize, start: usize, source: usize, sourceLine: usize,
  taps: usize, a: usize, m: i32, k: i32, rows: i32, cols: i32, edge: usize,
): void {
  for (let i = 0; i < m; i++) {
    const first: real = start ? load<real>(start + at(i)) : 0;
    for (let r = 0; r < rows; r++) {
      const to = y + line * <usize>r, from = source + sourceLine * <usize>r;
      for (let q = 0; q < cols; q += DIRECT) {
        const target = to + step * <usize>q;
        if (step == ELEMENT && q + DIRECT <= cols) direct(target, first, from + at(q), taps, a, k);
        else {
          direct(edge, first, from + at(q), taps, a, k);
          for (let j = 0; j < min(DIRECT, cols - q); j++) store<real>(target + step * <usize>j, load<real>(edge + at(j)));
        }
      }
    }
    y += yRow;
    a += at(k);
  }
}

function direct(y: usize, start: real, source: usize, taps: usize, a: usize, k: i32): void {
  let c3 = v128.splat<real>(start), c2 = c3, c1 = c3, c0 = c3;
  for (; k > 0; k--) {
    const x = v128.load_splat<real>(a), from = source + <usize>load<u32>(taps);
    c0 = madd(x, v128.load(from), c0);
    c1 = madd(x, v128.load(from, 16), c1);
    c2 = madd(x, v128.load(from, 32), c2);
    c3 = madd(x, v128.load(from, 48), c3);
    a += ELEMENT;
    taps += 4;
  }
  v128.store(y, c0);
  v128.store(y, c1, 16);
  v128.store(y, c2, 32);
  v128.store(y, c3, 48);
}
