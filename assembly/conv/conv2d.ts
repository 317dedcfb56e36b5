// Convolution (cross-correlation) of images, and its two gradients, over groups:
// y[n, o, i, j] = b[o] + sum over c, u, v of w[o, c, u, v] x[n, c, i strideY + u dilationY - top, j strideX + v dilationX - left].
// No matrix of patches: one image of one group is copied with its padding, panels of patches are made from it eight pixels at
// a time (panel.ts), and the register tile of the matrix product runs over them (sweep.ts). Sums go over ascending k, n.
import { at } from "../vector";
import { packRowTiles } from "../gemm/column";
import { COLUMNS, ELEMENT } from "../gemm/tile";
import { depthOf, forwardTaps, last, lineOf, reach, span } from "./geometry";
import { padPlanes } from "./pad";
import { LEAST_ROWS, edgeBytes, packedBytes, paddedBytes, panelBytes, startBytes, tableBytes } from "./scratch";
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
      padPlanes(padded, x, inputs, height, width, top, left, rows, strideX, cols, 0);
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
