// All row tiles over one panel of columns, and A packed for them. Matrix products and convolutions share these.
import { LANES, at } from "../vector";
import { pack, transpose } from "./pack";
import { ELEMENT, Four, One, Six, Two, tile } from "./tile";

/** Height of the next tile when m rows are left, as `column` takes them. */
// @ts-ignore: decorator
@inline function heightOf(m: i32): i32 {
  return m >= tileRows() && m != 8 ? tileRows() : m >= 4 ? 4 : m >= 2 ? 2 : 1;
}

/** Panels of A in the order and with the heights in which `column` reads them. */
export function packTiles(target: usize, a: usize, aRow: usize, aStep: usize, m: i32, k: i32): void {
  while (m > 0) {
    const rows = heightOf(m);
    pack(target, a, aRow, aStep, rows, rows, k);
    target += at(rows * k);
    a += aRow * <usize>rows;
    m -= rows;
  }
}

/** As packTiles, where the k elements of a row of A lie side by side and rows lie aRow bytes apart. */
export function packRowTiles(target: usize, a: usize, aRow: usize, m: i32, k: i32): void {
  while (m > 0) {
    const height = heightOf(m), step = at(height);
    let i = 0;
    for (; i + LANES <= height; i += LANES, a += aRow * LANES) {
      const to = target + at(i);
      let p = 0;
      for (; p + LANES <= k; p += LANES) transpose(to + step * <usize>p, step, a + at(p), aRow);
      for (; p < k; p++) {
        for (let r = 0; r < LANES; r++) store<real>(to + step * <usize>p + at(r), load<real>(a + aRow * <usize>r + at(p)));
      }
    }
    for (; i < height; i++, a += aRow) {
      for (let p = 0, to = target + at(i); p < k; p++, to += step) store<real>(to, load<real>(a + at(p)));
    }
    target += step * <usize>k;
    m -= height;
  }
}

/** As packTiles, where element p of a row stands offsets[p] (u32, bytes) from its begin. */
export function packIndexedTiles(target: usize, a: usize, aRow: usize, offsets: usize, m: i32, k: i32): void {
  while (m > 0) {
    const height = heightOf(m);
    for (let p = 0; p < k; p++) {
      let from = a + <usize>load<u32>(offsets + (<usize>p << 2));
      for (let i = 0; i < height; i++, from += aRow, target += ELEMENT) store<real>(target, load<real>(from));
    }
    a += aRow * <usize>height;
    m -= height;
  }
}

/** All row tiles of one panel of columns; 8 rows as 4 + 4, since 2 rows alone wait for their own chains as long as 4 do. */
export function column<V, L>(
  c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  m: i32, k: i32,
): void {
  if (tileRows() == 6) {
    for (; m >= 6 && m != 8; m -= 6) {
      tile<Six, V, L>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, k);
      c += cRow * 6; start += startRow * 6; a += aRow * 6;
    }
  }
  for (; m >= 4; m -= 4) {
    tile<Four, V, L>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, k);
    c += cRow * 4; start += startRow * 4; a += aRow * 4;
  }
  if (m >= 2) {
    tile<Two, V, L>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, k);
    c += cRow * 2; start += startRow * 2; a += aRow * 2; m -= 2;
  }
  if (m) tile<One, V, L>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, k);
}

/** to[rows, columns] = from[rows, columns], fewer than COLUMNS of them. */
export function copyEdge(to: usize, toRow: usize, from: usize, fromRow: usize, rows: i32, columns: i32): void {
  for (; rows > 0; rows--) {
    for (let j = 0; j < columns; j++) store<real>(to + at(j), load<real>(from + at(j)));
    to += toRow;
    from += fromRow;
  }
}
