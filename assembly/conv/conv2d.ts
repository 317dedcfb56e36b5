// Convolution (cross-correlation) of images, and its two gradients, over groups:
// y[n, o, i, j] = b[o] + sum over c, u, v of w[o, c, u, v] x[n, c, i strideY + u dilationY - top, j strideX + v dilationX - left].
// No matrix of patches: one image of one group is copied with its padding, panels of patches are made from it eight pixels at
// a time (panel.ts), and the register tile of the matrix product runs over them (sweep.ts). Sums go over ascending k, n.
import { LANES, at, sumLanes } from "../vector";
import { column, copyEdge, packIndexedTiles, packRowTiles } from "../gemm/column";
import { COLUMNS, ELEMENT, One, Packed, Two } from "../gemm/tile";
import { padPlanes } from "./pad";
import { tapPanel } from "./panel";
import { BLOCK_K, LEAST_ROWS, edgeBytes, paddedBytes, panelBytes, regionBytes, startBytes, tableBytes } from "./scratch";
import { sweep, sweepDirect } from "./sweep";

/** Bytes of scratch that any of the three needs; beyond 4 GiB for sizes that cannot be. */
export function conv2dScratchBytes(
  groups: i32, channels: i32, height: i32, width: i32, outChannels: i32, outHeight: i32, outWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32,
): f64 {
  const inputs = channels / groups, outs = outChannels / groups, area = <f64>kernelHeight * <f64>kernelWidth;
  const x = paddedBytes(inputs, span(outHeight, strideY, kernelHeight, dilationY), strideX * lineOf(outWidth, strideX, kernelWidth, dilationX));
  const dy = paddedBytes(outs, reach(kernelHeight, dilationY, strideY) + last(height, top, strideY) + 1,
    reach(kernelWidth, dilationX, strideX) + last(width, left, strideX) + 1);
  return startBytes(outChannels) + edgeBytes(max(inputs, outs)) + 2 * tableBytes(<f64>max(inputs, outs) * area) + panelBytes()
    + packedBytes(inputs, outs, outChannels, area) + max(x, dy);
}

// @ts-ignore: decorator
@inline function packedBytes(inputs: i32, outs: i32, outChannels: i32, area: f64): f64 {
  return regionBytes(max(<f64>outChannels * <f64>inputs * area, <f64>outs * <f64>BLOCK_K));
}

/** Input rows that the outputs read. */
// @ts-ignore: decorator
@inline function span(out: i32, stride: i32, kernel: i32, dilation: i32): i32 {
  return (out - 1) * stride + (kernel - 1) * dilation + 1;
}

/** Elements of each residue of a padded line. */
// @ts-ignore: decorator
@inline function lineOf(out: i32, stride: i32, kernel: i32, dilation: i32): i32 {
  return (span(out, stride, kernel, dilation) + stride - 1) / stride;
}

/** How many outputs before its own the last tap of an input belongs to. */
// @ts-ignore: decorator
@inline function reach(kernel: i32, dilation: i32, stride: i32): i32 {
  return (kernel - 1) * dilation / stride;
}

/** The last output that reads an input; -1 + ... if there is none. */
// @ts-ignore: decorator
@inline function last(size: i32, pad: i32, stride: i32): i32 {
  return max(0, size - 1 + pad) / stride;
}

/** taps[c, u, v]: where the padded image is read for a pixel. */
function forwardTaps(
  taps: usize, channels: i32, rows: i32, cols: i32, stride: i32, kernelHeight: i32, kernelWidth: i32, dilationY: i32, dilationX: i32,
): void {
  const line = stride * cols;
  for (let c = 0; c < channels; c++) {
    for (let u = 0; u < kernelHeight; u++) {
      for (let v = 0; v < kernelWidth; v++, taps += 4) {
        const shift = v * dilationX;
        store<u32>(taps, <u32>at((c * rows + u * dilationY) * line + (shift % stride) * cols + shift / stride));
      }
    }
  }
}

/** y[images, outChannels, outHeight, outWidth]; b: 0 for none. */
export function conv2d(
  y: usize, x: usize, w: usize, b: usize, scratch: usize, images: i32, groups: i32, channels: i32, height: i32, width: i32,
  outChannels: i32, outHeight: i32, outWidth: i32, kernelHeight: i32, kernelWidth: i32,
  strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32,
): void {
  const inputs = channels / groups, outs = outChannels / groups, area = kernelHeight * kernelWidth, k = inputs * area;
  const rows = span(outHeight, strideY, kernelHeight, dilationY), cols = lineOf(outWidth, strideX, kernelWidth, dilationX);
  const start = scratch, edge = start + <usize>startBytes(outChannels), taps = edge + <usize>edgeBytes(max(inputs, outs));
  const panel = taps + 2 * <usize>tableBytes(<f64>max(inputs, outs) * <f64>area), packed = panel + <usize>panelBytes();
  const padded = packed + <usize>packedBytes(inputs, outs, outChannels, <f64>area);
  const few = outs < LEAST_ROWS, depth = depthOf(k);

  forwardTaps(taps, inputs, rows, cols, strideX, kernelHeight, kernelWidth, dilationY, dilationX);
  if (!few) {
    for (let g = 0, to = packed; g < groups; g++) {
      for (let p = 0; p < k; p += depth) {
        const kb = min(depth, k - p);
        packRowTiles(to, w + at(g * outs * k + p), at(k), outs, kb);
        to += at(outs * kb);
      }
    }
    const starts = b ? outChannels : 1;
    for (let o = 0; o < starts; o++) {
      const value = v128.splat<real>(b ? load<real>(b + at(o)) : 0);
      v128.store(start + at(o * COLUMNS), value);
      v128.store(start + at(o * COLUMNS), value, 16);
    }
  }
  const line = at(strideX * cols), sourceLine = line * <usize>strideY, yRow = at(outHeight * outWidth);
  for (let n = 0; n < images; n++) {
    for (let g = 0; g < groups; g++) {
      padPlanes(padded, x, inputs, height, width, top, left, rows, strideX, cols);
      const first = g * outs;
      if (few) {
        sweepDirect(y, yRow, at(outWidth), ELEMENT, b ? b + at(first) : 0, padded, sourceLine, taps, w + at(first * k), outs, k, outHeight, outWidth, edge);
      } else {
        let p = 0;
        do {
          const kb = min(depth, k - p);
          sweep(
            y, yRow, at(outWidth), ELEMENT, b ? start + at(first * COLUMNS) : start, b ? at(COLUMNS) : 0, p > 0, padded, sourceLine,
            taps + (<usize>p << 2), packed + at(first * k + outs * p), outs, kb, outHeight, outWidth, panel, edge,
          );
          p += depth;
        } while (p < k);
      }
      x += at(inputs * height * width);
      y += yRow * <usize>outs;
    }
  }
}

/** First of the taps u < kernel with u dilation = residue modulo stride; kernel if there is none. */
function firstTap(residue: i32, kernel: i32, dilation: i32, stride: i32): i32 {
  for (let u = 0; u < min(kernel, stride); u++) if ((u * dilation - residue) % stride == 0) return u;
  return kernel;
}

/** Distance between such taps. */
function tapStep(dilation: i32, stride: i32): i32 {
  let step = 1;
  while (<i64>step * <i64>dilation % <i64>stride != 0) step++;
  return step;
}

/** First q >= 0 with q stride + residue >= pad. */
// @ts-ignore: decorator
@inline function firstOf(pad: i32, residue: i32, stride: i32): i32 {
  return pad > residue ? (pad - residue + stride - 1) / stride : 0;
}

/** How many inputs below size have the residue. */
// @ts-ignore: decorator
@inline function countOf(size: i32, pad: i32, residue: i32, stride: i32): i32 {
  return size - 1 + pad < residue ? 0 : (size - 1 + pad - residue) / stride + 1 - firstOf(pad, residue, stride);
}

/**
 * dx[images, channels, height, width]: the gradient of x, which is the transposed convolution of dy. The inputs of each residue of
 * (row + top, column + left) modulo the strides are read by the same taps, so each residue is a correlation of its own.
 */
export function conv2dGradInput(
  dx: usize, dy: usize, w: usize, scratch: usize, images: i32, groups: i32, channels: i32, height: i32, width: i32,
  outChannels: i32, outHeight: i32, outWidth: i32, kernelHeight: i32, kernelWidth: i32,
  strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32,
): void {
  const inputs = channels / groups, outs = outChannels / groups, area = kernelHeight * kernelWidth, whole = outs * area;
  const reachY = reach(kernelHeight, dilationY, strideY), reachX = reach(kernelWidth, dilationX, strideX);
  const rows = reachY + last(height, top, strideY) + 1, cols = reachX + last(width, left, strideX) + 1;
  const stepY = tapStep(dilationY, strideY), stepX = tapStep(dilationX, strideX);
  const start = scratch, edge = start + <usize>startBytes(outChannels), tables = edge + <usize>edgeBytes(max(inputs, outs));
  const tableSize = <usize>tableBytes(<f64>max(inputs, outs) * <f64>area);
  const panel = tables + 2 * tableSize, packed = panel + <usize>panelBytes();
  const padded = packed + <usize>packedBytes(inputs, outs, outChannels, <f64>area);
  const few = inputs < LEAST_ROWS;
  v128.store(start, i64x2.splat(0));
  v128.store(start, i64x2.splat(0), 16);

  // for each residue: where its taps read dy, where they read w, and w packed
  let taps = tables, packedEnd = packed;
  for (let a = 0; a < strideY; a++) {
    for (let e = 0; e < strideX; e++) {
      const begin = taps, firstU = firstTap(a, kernelHeight, dilationY, strideY), firstV = firstTap(e, kernelWidth, dilationX, strideX);
      for (let o = 0; o < outs; o++) {
        for (let u = firstU; u < kernelHeight; u += stepY) {
          const row = (o * rows + reachY - (u * dilationY - a) / strideY) * cols + reachX;
          for (let v = firstV; v < kernelWidth; v += stepX, taps += 4) {
            store<u32>(taps, <u32>at(row - (v * dilationX - e) / strideX));
            store<u32>(taps + tableSize, <u32>at(o * inputs * area + u * kernelWidth + v));
          }
        }
      }
      const k = <i32>((taps - begin) >> 2), depth = depthOf(k);
      for (let g = 0; g < groups; g++) {
        const from = w + at(g * inputs * whole);
        let to = packed + at(g * inputs * whole) + (packedEnd - packed);
        if (few) {
          for (let c = 0; c < inputs; c++, to += at(k)) packIndexedTiles(to, from + at(c * area), 0, begin + tableSize, 1, k);
        } else {
          for (let p = 0; p < k; p += depth) {
            const kb = min(depth, k - p);
            packIndexedTiles(to, from, at(area), begin + tableSize + (<usize>p << 2), inputs, kb);
            to += at(inputs * kb);
          }
        }
      }
      packedEnd += at(inputs * k);
    }
  }

  const line = at(cols), xRow = at(height * width);
  for (let n = 0; n < images; n++) {
    for (let g = 0; g < groups; g++) {
      padPlanes(padded, dy, outs, outHeight, outWidth, reachY, reachX, rows, 1, cols);
      let weights = packed + at(g * inputs * whole);
      taps = tables;
      for (let a = 0; a < strideY; a++) {
        const ny = tapsOf(firstTap(a, kernelHeight, dilationY, strideY), kernelHeight, stepY);
        const qy = firstOf(top, a, strideY), high = countOf(height, top, a, strideY);
        for (let e = 0; e < strideX; e++) {
          const k = outs * ny * tapsOf(firstTap(e, kernelWidth, dilationX, strideX), kernelWidth, stepX), depth = depthOf(k);
          const qx = firstOf(left, e, strideX), wide = countOf(width, left, e, strideX);
          if (high > 0 && wide > 0) {
            const to = dx + at((qy * strideY + a - top) * width + qx * strideX + e - left), from = padded + line * <usize>qy + at(qx);
            if (few) {
              sweepDirect(to, xRow, at(strideY * width), at(strideX), 0, from, line, taps, weights, inputs, k, high, wide, edge);
            } else {
              let p = 0;
              do {
                sweep(
                  to, xRow, at(strideY * width), at(strideX), start, 0, p > 0, from, line,
                  taps + (<usize>p << 2), weights + at(inputs * p), inputs, min(depth, k - p), high, wide, panel, edge,
                );
                p += depth;
              } while (p < k);
            }
          }
          weights += at(inputs * k);
          taps += <usize>k << 2;
        }
      }
      dy += at(outs * outHeight * outWidth);
      dx += xRow * <usize>inputs;
    }
  }
}

// @ts-ignore: decorator
@inline function depthOf(k: i32): i32 {
  const blocks = max(1, (k + BLOCK_K - 1) / BLOCK_K);
  return max(1, (k + blocks - 1) / blocks);
}

// @ts-ignore: decorator
@inline function tapsOf(first: i32, kernel: i32, step: i32): i32 {
  return first < kernel ? (kernel - 1 - first) / step + 1 : 0;
}

/** dw[outChannels, channels / groups, kernelHeight, kernelWidth]: sums over the pixels of an image, then over the images, ascending. */
export function conv2dGradWeight(
  dw: usize, x: usize, dy: usize, scratch: usize, images: i32, groups: i32, channels: i32, height: i32, width: i32,
  outChannels: i32, outHeight: i32, outWidth: i32, kernelHeight: i32, kernelWidth: i32,
  strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32,
): void {
  const inputs = channels / groups, outs = outChannels / groups, area = kernelHeight * kernelWidth, k = inputs * area;
  const rows = span(outHeight, strideY, kernelHeight, dilationY), cols = lineOf(outWidth, strideX, kernelWidth, dilationX);
  const edge = scratch + <usize>startBytes(outChannels), taps = edge + <usize>edgeBytes(max(inputs, outs));
  const panel = taps + 2 * <usize>tableBytes(<f64>max(inputs, outs) * <f64>area), packed = panel + <usize>panelBytes();
  const padded = packed + <usize>packedBytes(inputs, outs, outChannels, <f64>area);
  const line = at(strideX * cols), sourceLine = line * <usize>strideY, pixels = outHeight * outWidth;
  // a block of pixels: whole lines, or part of one
  const blockRows = max(1, BLOCK_K / outWidth), blockCols = min(outWidth, BLOCK_K);
  forwardTaps(taps, inputs, rows, cols, strideX, kernelHeight, kernelWidth, dilationY, dilationX);
  memory.fill(dw, 0, at(outChannels * k));
  for (let n = 0; n < images; n++) {
    for (let g = 0; g < groups; g++) {
      padPlanes(padded, x, inputs, height, width, top, left, rows, strideX, cols);
      const target = dw + at(g * outs * k);
      if (outs < LEAST_ROWS) {
        for (let o = 0; o < outs; o++) weightDots(target + at(o * k), dy + at(o * pixels), padded, sourceLine, taps, k, outHeight, outWidth);
      } else {
        for (let r = 0; r < outHeight; r += blockRows) {
          const high = min(blockRows, outHeight - r);
          for (let q = 0; q < outWidth; q += blockCols) {
            const wide = min(blockCols, outWidth - q);
            packRowTiles(packed, dy + at(r * outWidth + q), at(pixels), outs, high * wide);
            weightBlock(target, packed, padded + sourceLine * <usize>r + at(q), sourceLine, taps, k, outs, high, wide, panel, edge);
          }
        }
      }
      x += at(inputs * height * width);
      dy += at(outs * pixels);
    }
  }
}

/** dw[m, k] += a[m, pixels] patches[pixels, k]. */
function weightBlock(
  dw: usize, a: usize, source: usize, sourceLine: usize, taps: usize, k: i32, m: i32, rows: i32, cols: i32, panel: usize, edge: usize,
): void {
  const dwRow = at(k), edgeRow = at(COLUMNS), pixels = rows * cols;
  for (let j = 0; j < k; j += COLUMNS, dw += at(COLUMNS), taps += <usize>COLUMNS << 2) {
    const columns = min(COLUMNS, k - j), width = columns > LANES ? COLUMNS : LANES;
    tapPanel(panel, source, sourceLine, taps, columns, width, rows, cols);
    const whole = columns == width, c = whole ? dw : edge, cRow = whole ? dwRow : edgeRow;
    if (!whole) copyEdge(edge, edgeRow, dw, dwRow, m, columns);
    if (width == COLUMNS) column<Two, Packed>(c, cRow, c, cRow, a, at(pixels), 0, panel, at(COLUMNS), m, pixels);
    else column<One, Packed>(c, cRow, c, cRow, a, at(pixels), 0, panel, at(LANES), m, pixels);
    if (!whole) copyEdge(dw, dwRow, edge, edgeRow, m, columns);
  }
}

/** dw[k] += sum over pixels of dy[pixel] source[pixel + taps[k]], for few rows: four taps at a time, lanes over a line. */
function weightDots(dw: usize, dy: usize, source: usize, sourceLine: usize, taps: usize, k: i32, rows: i32, cols: i32): void {
  for (let j = 0; j < k; j += 4) {
    const t0 = tapAt(taps, j), t1 = tapAt(taps, min(j + 1, k - 1)), t2 = tapAt(taps, min(j + 2, k - 1)), t3 = tapAt(taps, min(j + 3, k - 1));
    let c3 = v128.splat<real>(0), c2 = c3, c1 = c3, c0 = c3;
    let d = dy, from = source;
    for (let r = 0; r < rows; r++, from += sourceLine) {
      let s = from, q = cols;
      for (; q >= LANES; q -= LANES, d += 16, s += 16) {
        const g = v128.load(d);
        c0 = madd(g, v128.load(s + t0), c0);
        c1 = madd(g, v128.load(s + t1), c1);
        c2 = madd(g, v128.load(s + t2), c2);
        c3 = madd(g, v128.load(s + t3), c3);
      }
      for (; q > 0; q--, d += ELEMENT, s += ELEMENT) {
        const g = loadFirst(d);
        c0 = madd(g, loadFirst(s + t0), c0);
        c1 = madd(g, loadFirst(s + t1), c1);
        c2 = madd(g, loadFirst(s + t2), c2);
        c3 = madd(g, loadFirst(s + t3), c3);
      }
    }
    addTo(dw + at(j), c0);
    if (j + 1 < k) addTo(dw + at(j + 1), c1);
    if (j + 2 < k) addTo(dw + at(j + 2), c2);
    if (j + 3 < k) addTo(dw + at(j + 3), c3);
  }
}

// @ts-ignore: decorator
@inline function tapAt(taps: usize, j: i32): usize {
  return <usize>load<u32>(taps + (<usize>j << 2));
}

/** One element, the other lanes 0. */
// @ts-ignore: decorator
@inline function loadFirst(p: usize): v128 {
  return sizeof<real>() == 8 ? v128.load64_zero(p) : v128.load32_zero(p);
}

// @ts-ignore: decorator
@inline function addTo(p: usize, lanes: v128): void {
  store<real>(p, load<real>(p) + sumLanes(lanes));
}
