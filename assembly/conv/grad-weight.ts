// The gradient of a convolution's weights: dy, packed, times patches that are transposed into panels over the pixels.
import { LANES, at, sumLanes } from "../vector";
import { column, copyEdge, packRowTiles } from "../gemm/column";
import { COLUMNS, ELEMENT, One, Packed, Two } from "../gemm/tile";
import { forwardTaps, lineOf, span } from "./geometry";
import { padPlanes } from "./pad";
import { tapPanel } from "./panel";
import { BLOCK_K, LEAST_ROWS, edgeBytes, packedBytes, panelBytes, startBytes, tableBytes } from "./scratch";

/**
 * dw[outChannels, channels / groups, kernelHeight, kernelWidth]: sums over the pixels of an image, then over the images, ascending.
 * From one image of dy to the next are dyImage elements: more than its own where this is a part of the output channels.
 */
export function conv2dGradWeight(
  dw: usize, x: usize, dy: usize, scratch: usize, images: i32, groups: i32, channels: i32, height: i32, width: i32,
  outChannels: i32, outHeight: i32, outWidth: i32, kernelHeight: i32, kernelWidth: i32,
  strideY: i32, strideX: i32, top: i32, left: i32, dilationY: i32, dilationX: i32, dyImage: i32,
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
      padPlanes(padded, x, inputs, height, width, top, left, rows, strideX, cols, 0);
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
    dy += at(dyImage - outChannels * pixels);
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
