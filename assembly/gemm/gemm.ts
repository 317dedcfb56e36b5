// Matrix product C[m,n] = op(A)[m,k] op(B)[k,n], row-major; N as stored, T transposed; ld* are elements between rows.
// Loops of BLIS (Van Zee and van de Geijn 2015): blocks of k, blocks of rows, panels of columns, row tiles. A block of A stays
// in L2, a panel of B in L1. Every element is one chain over ascending k that begins with zero or with C; between blocks of k
// it waits in C. So no block, tile or layout, and no division of m or n between threads, changes a bit.
import { fill } from "../copy";
import { gelu, geluTanh, sigmoidGrad, silu, tanhGrad } from "../elementwise/activations";
import { relu, reluGrad } from "../elementwise/piecewise";
import { sigmoid, tanh } from "../elementwise/transcendental";
import { LANES, at } from "../vector";
import { column, copyEdge, packTiles } from "./column";
import { pack, packPanels, transposed } from "./pack";
import { ROW_BYTES, row } from "./row";
import { COLUMNS, ELEMENT, Four, One, Packed, Strided, Two, WIDE_COLUMNS, wide } from "./tile";

/** Largest block of k: a panel of B takes 16 KiB, a row tile of A 12 KiB, for an L1 of 32 KiB. */
// @ts-ignore: decorator
@inline const BLOCK_K: i32 = 128 * LANES;
/** Rows of a block, a multiple of every tile height: 384 KiB of A, for an L2 of 1 MiB; a panel of B is packed once a block. */
// @ts-ignore: decorator
@inline const BLOCK_M: i32 = 192;
/** Panels of B packed together, 128 bytes of each row: one by one, half of every cache line would be fetched twice. */
// @ts-ignore: decorator
@inline const GROUP: i32 = 4;
/** The most rows for which A B' is made as (B A')': then A is packed and not the larger B. 32 x 128 x 784: 81 instead of 93 us (Node 24). */
// @ts-ignore: decorator
@inline const TURNED_M: i32 = 48;

export function gemmNN(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, at(lda), ELEMENT, b, at(ldb), ELEMENT, scratch, m, n, k, at(ldc), false, 0, 0, 0);
}

export function gemmNT(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, at(lda), ELEMENT, b, ELEMENT, at(ldb), scratch, m, n, k, at(ldc), false, 0, 0, 0);
}

export function gemmTN(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, ELEMENT, at(lda), b, at(ldb), ELEMENT, scratch, m, n, k, at(ldc), false, 0, 0, 0);
}

export function gemmTT(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, ELEMENT, at(lda), b, ELEMENT, at(ldb), scratch, m, n, k, at(ldc), false, 0, 0, 0);
}

export function gemmAddNN(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, at(lda), ELEMENT, b, at(ldb), ELEMENT, scratch, m, n, k, at(ldc), true, 0, 0, 0);
}

export function gemmAddNT(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, at(lda), ELEMENT, b, ELEMENT, at(ldb), scratch, m, n, k, at(ldc), true, 0, 0, 0);
}

export function gemmAddTN(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, ELEMENT, at(lda), b, at(ldb), ELEMENT, scratch, m, n, k, at(ldc), true, 0, 0, 0);
}

export function gemmAddTT(c: usize, a: usize, b: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32): void {
  gemm(c, a, ELEMENT, at(lda), b, ELEMENT, at(ldb), scratch, m, n, k, at(ldc), true, 0, 0, 0);
}

/**
 * C = f(op(A) op(B) + bias, other) in one pass: bias [n] or 0, f an epilogue of `finish`, other [m, n] with rows ldc apart, as C.
 * The chains begin with the bias, as where it was copied to C before; f follows while the rows are in the cache.
 */
export function gemmEpilogue(
  c: usize, a: usize, b: usize, bias: usize, other: usize, scratch: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32,
  transposeA: i32, transposeB: i32, epilogue: i32,
): void {
  const aRow = transposeA ? ELEMENT : at(lda), aStep = transposeA ? at(lda) : ELEMENT;
  const bStep = transposeB ? ELEMENT : at(ldb), bColumn = transposeB ? at(ldb) : ELEMENT;
  if (bias && (m == 1 || n == 1)) {
    for (let i = 0; i < m; i++) memory.copy(c + at(i * ldc), bias, at(n));
    gemm(c, a, aRow, aStep, b, bStep, bColumn, scratch, m, n, k, at(ldc), true, 0, epilogue, other);
  } else gemm(c, a, aRow, aStep, b, bStep, bColumn, scratch, m, n, k, at(ldc), false, bias, epilogue, other);
}

/** f of gemmEpilogue on n elements: 0 none; 1 to 6 of C; 7 to 9 the derivative of an activation, from C = dy and its output y. */
function finish(c: usize, y: usize, n: i32, epilogue: i32): void {
  switch (epilogue) {
    case 1: relu(c, c, n); break;
    case 2: tanh(c, c, n); break;
    case 3: sigmoid(c, c, n); break;
    case 4: gelu(c, c, n); break;
    case 5: geluTanh(c, c, n); break;
    case 6: silu(c, c, n); break;
    case 7: reluGrad(c, c, y, n); break;
    case 8: tanhGrad(c, c, y, n); break;
    case 9: sigmoidGrad(c, c, y, n); break;
  }
}

/** finish() of m rows of n elements, `row` bytes apart in both. */
function finishRows(c: usize, y: usize, m: i32, n: i32, row: usize, epilogue: i32): void {
  if (row == at(n)) finish(c, y, m * n, epilogue);
  else for (; m > 0; m--, c += row, y += row) finish(c, y, n, epilogue);
}

/** Bytes of scratch that any variant needs: zeros, an edge of C, a group of panels of B, a block of A. */
export function gemmScratchBytes(m: i32, n: i32, k: i32): usize {
  const rows = min(max(m, m <= TURNED_M ? n : 0), BLOCK_M), depth = min(k, BLOCK_K);
  return turnedBytes(m, n) + ROW_BYTES + edgeBytes(rows) + panelBytes(depth) * GROUP + at(rows * depth);
}

// @ts-ignore: decorator
@inline function turnedBytes(m: i32, n: i32): usize {
  return m <= TURNED_M ? (at(m * n) + 63) & ~63 : 0;
}

// @ts-ignore: decorator
@inline function edgeBytes(rows: i32): usize {
  return (at(rows * COLUMNS) + 63) & ~63;
}

// @ts-ignore: decorator
@inline function panelBytes(depth: i32): usize {
  return at(depth * COLUMNS);
}

/** Distances in bytes. A: between rows aRow, between columns aStep. B: between rows bStep, between columns bColumn. */
function gemm(
  c: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize, scratch: usize,
  m: i32, n: i32, k: i32, cRow: usize, add: bool, bias: usize, epilogue: i32, other: usize,
): void {
  if (n == 1 && cRow == ELEMENT) {
    // One contiguous column: the row op(B)' op(A)'.
    const column = a, columnStep = aStep;
    a = b; aStep = bStep;
    b = column; bStep = columnStep; bColumn = aRow;
    n = m; m = 1;
  }
  if (m > LANES && m <= TURNED_M && n >= 2 * m && aStep == ELEMENT && bStep == ELEMENT && bColumn != ELEMENT) {
    const turned = scratch, row = at(m);
    if (add) transposed(turned, row, c, cRow, m, n);
    else if (bias) spread(turned, bias, n, m);
    gemm(turned, b, bColumn, bStep, a, aStep, aRow, scratch + turnedBytes(m, n), n, m, k, row, add || bias != 0, 0, 0, 0);
    transposed(c, cRow, turned, row, n, m);
    if (epilogue) finishRows(c, other, m, n, cRow, epilogue);
    return;
  }
  for (let zero: usize = 0; zero < ROW_BYTES; zero += 16) v128.store(scratch + zero, i64x2.splat(0));
  // a wide panel of B has twice the columns and so half the rows
  const most = wide() ? BLOCK_K / 2 : BLOCK_K;
  const blocks = max(1, (k + most - 1) / most), depth = (k + blocks - 1) / blocks;
  let p = 0;
  do {
    let kb = min(depth, k - p);
    if (m == 1 && kb > LANES) kb -= kb % LANES; // what `row` can take, and then the rest
    for (let i = 0; i < m; i += BLOCK_M) {
      block(
        c + cRow * <usize>i, a + aRow * <usize>i + aStep * <usize>p, aRow, aStep, b + bStep * <usize>p, bStep, bColumn,
        scratch, min(BLOCK_M, m - i), n, kb, cRow, add, bias,
      );
      if (epilogue && p + kb >= k) finishRows(c + cRow * <usize>i, other + cRow * <usize>i, min(BLOCK_M, m - i), n, cRow, epilogue);
    }
    add = true;
    bias = 0;
    p += kb;
  } while (p < k);
}

/** to[r, i] = column[r] for i < n. */
function spread(to: usize, column: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, to += at(n), column += ELEMENT) fill(to, load<real>(column), n);
}

/** One block of rows and of k, panel by panel. Operands are packed only where that pays; which is all that the sizes decide. */
function block(
  c: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bColumn: usize, scratch: usize,
  m: i32, n: i32, k: i32, cRow: usize, add: bool, bias: usize,
): void {
  const edge = scratch + ROW_BYTES, panels = edge + edgeBytes(m), packedA = panels + panelBytes(k) * GROUP;
  const edgeRow = at(COLUMNS);
  let j = 0;
  if (m == 1) {
    j = row(c, add ? c : scratch, a, aStep, b, bStep, bColumn, n, k);
    c += at(j);
    b += bColumn * <usize>j;
  }
  // Rows of A are read where they are; columns of A (transposed) are gathered once they serve four panels.
  const packA = m > 1 && aStep != ELEMENT && n >= 4 * COLUMNS;
  if (packA) {
    packTiles(packedA, a, aRow, aStep, m, k);
    a = packedA;
    aRow = at(k);
  }
  // Few rows read B where it is, unless its rows lie whole pages apart: then they share a few sets of the caches.
  const packB = bColumn != ELEMENT || m > 6 * tileRows() || (bStep & 4095) == 0;
  let ready = 0, panel = panels, full = wide() ? WIDE_COLUMNS : COLUMNS;
  for (; j < n; j += full) {
    if (ready == 0 && n - j < full) full = COLUMNS;
    const columns = min(full, n - j), width = columns == WIDE_COLUMNS ? WIDE_COLUMNS : columns > LANES ? COLUMNS : LANES;
    let panelB = b, panelStep = bStep;
    if (packB && bColumn == ELEMENT && columns == full) {
      if (ready == 0) {
        ready = min(GROUP * COLUMNS, n - j) / full;
        panel = panels;
        packPanels(panel, b, bStep, full, ready, k);
      }
      panelB = panel;
      panelStep = at(full);
      panel += at(full * k);
      ready--;
    } else if (packB || columns < width) {
      pack(panels, b, bColumn, bStep, columns, width, k);
      panelB = panels;
      panelStep = at(width);
    }
    if (columns == width) {
      tiles(c, cRow, add ? c : bias ? bias + at(j) : scratch, add ? cRow : 0, a, aRow, aStep, panelB, panelStep, m, k, width, packA);
    } else {
      if (add) copyEdge(edge, edgeRow, c, cRow, m, columns);
      else if (bias) copyEdge(edge, edgeRow, bias + at(j), 0, m, columns);
      tiles(edge, edgeRow, add || bias ? edge : scratch, add || bias ? edgeRow : 0, a, aRow, aStep, panelB, panelStep, m, k, width, packA);
      copyEdge(c, cRow, edge, edgeRow, m, columns);
    }
    c += at(full);
    b += bColumn * full;
  }
}

// @ts-ignore: decorator
@inline function tiles(
  c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  m: i32, k: i32, width: i32, packed: bool,
): void {
  if (packed) {
    if (width == WIDE_COLUMNS) column<Four, Packed>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, m, k);
    else if (width == COLUMNS) column<Two, Packed>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, m, k);
    else column<One, Packed>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, m, k);
  } else {
    if (width == WIDE_COLUMNS) column<Four, Strided>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, m, k);
    else if (width == COLUMNS) column<Two, Strided>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, m, k);
    else column<One, Strided>(c, cRow, start, startRow, a, aRow, aStep, b, bStep, m, k);
  }
}
