// Panels for the register tile: target[p * width + i] = source[i * across + p * along], zero for count <= i < width.
// A panel of A holds the rows of one tile, a panel of B the columns; the tile reads both from front to back.
import { LANES, at } from "../vector";
import { COLUMNS, ELEMENT, WIDE_COLUMNS } from "./tile";

/** Any panel; across and along in bytes, one of the two is one element. */
export function pack(
  target: usize, source: usize, across: usize, along: usize, count: i32, width: i32, k: i32,
): void {
  if (count < width || count < LANES) packPartial(target, source, across, along, count, width, k);
  else if (across == ELEMENT) packRows(target, source, along, width, k);
  else packTransposed(target, source, across, width, k);
}

function packPartial(
  target: usize, source: usize, across: usize, along: usize, count: i32, width: i32, k: i32,
): void {
  for (let p = 0; p < k; p++) {
    for (let i = 0, from = source; i < count; i++, from += across) store<real>(target + at(i), load<real>(from));
    for (let i = count; i < width; i++) store<real>(target + at(i), 0);
    target += at(width);
    source += along;
  }
}

/** Rows of LANES to 4 LANES elements: of four vectors, or as three that may overlap: no tail. */
function packRows(target: usize, source: usize, along: usize, width: i32, k: i32): void {
  if (width == WIDE_COLUMNS) return packPanels(target, source, along, WIDE_COLUMNS, 1, k);
  const last = at(width - LANES), middle = min<usize>(16, last), step = at(width);
  for (const end = target + step * <usize>k; target != end; target += step) {
    v128.store(target, v128.load(source));
    v128.store(target + middle, v128.load(source + middle));
    v128.store(target + last, v128.load(source + last));
    source += along;
  }
}

/** One, two or four times LANES rows of the source, LANES x LANES in registers. */
function packTransposed(target: usize, source: usize, across: usize, width: i32, k: i32): void {
  const step = at(width), group = across * LANES;
  for (; k >= LANES; k -= LANES) {
    transpose(target, step, source, across);
    if (width >= COLUMNS) transpose(target + 16, step, source + group, across);
    if (width == WIDE_COLUMNS) {
      transpose(target + 32, step, source + group * 2, across);
      transpose(target + 48, step, source + group * 3, across);
    }
    target += step * LANES;
    source += 16;
  }
  packPartial(target, source, across, ELEMENT, width, width, k);
}

/** to[j, i] = row i [j] for LANES rows, across bytes apart, of LANES elements; rows of `to` step bytes apart. */
// @ts-ignore: decorator
@inline export function transpose(to: usize, step: usize, s0: usize, across: usize): void {
  const s1 = s0 + across, s2 = s1 + across;
  transposeRows(to, step, s0, s1, s2, s2 + across);
}

/** The same for rows anywhere; s2 and s3 are not read where LANES is 2. */
// @ts-ignore: decorator
@inline export function transposeRows(to: usize, step: usize, s0: usize, s1: usize, s2: usize, s3: usize): void {
  const r0 = v128.load(s0), r1 = v128.load(s1);
  if (sizeof<real>() == 8) {
    v128.store(to, v128.shuffle<f64>(r0, r1, 0, 2));
    v128.store(to + step, v128.shuffle<f64>(r0, r1, 1, 3));
  } else {
    const r2 = v128.load(s2), r3 = v128.load(s3);
    const low0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), high0 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const low1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5), high1 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(low0, low1, 0, 2));
    v128.store(to + step, v128.shuffle<f64>(low0, low1, 1, 3));
    v128.store(to + step * 2, v128.shuffle<f64>(high0, high1, 0, 2));
    v128.store(to + step * 3, v128.shuffle<f64>(high0, high1, 1, 3));
  }
}

/** Full panels of B [k, n] side by side, COLUMNS or WIDE_COLUMNS each: every row is read once for all, whole cache lines at a time. */
export function packPanels(target: usize, source: usize, along: usize, width: i32, panels: i32, k: i32): void {
  const step = at(width), panelSize = step * <usize>k, panelsEnd = panelSize * <usize>panels;
  for (const end = target + panelSize; target != end; target += step) {
    for (let to = target, from = source; to != target + panelsEnd; to += panelSize, from += step) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      if (width == WIDE_COLUMNS) {
        v128.store(to, v128.load(from, 32), 32);
        v128.store(to, v128.load(from, 48), 48);
      }
    }
    source += along;
  }
}

/** to[j, i] = from[i, j] for rows x columns; toRow and fromRow in bytes. */
export function transposed(to: usize, toRow: usize, from: usize, fromRow: usize, rows: i32, columns: i32): void {
  let i = 0;
  for (; i + LANES <= rows; i += LANES, from += fromRow * LANES, to += 16) {
    let j = 0;
    for (; j + LANES <= columns; j += LANES) transpose(to + toRow * <usize>j, toRow, from + at(j), fromRow);
    for (; j < columns; j++) {
      for (let r: usize = 0; r < <usize>LANES; r++) store<real>(to + toRow * <usize>j + r * ELEMENT, load<real>(from + fromRow * r + at(j)));
    }
  }
  for (; i < rows; i++, from += fromRow, to += ELEMENT) {
    for (let j = 0; j < columns; j++) store<real>(to + toRow * <usize>j, load<real>(from + at(j)));
  }
}
