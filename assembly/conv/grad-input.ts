// The gradient of a convolution's input, which is the transposed convolution: correlations of dy, without a matrix of patches.
import { at } from "../vector";
import { packIndexedTiles } from "../gemm/column";
import { depthOf, last, reach } from "./geometry";
import { padPlanes } from "./pad";
import { LEAST_ROWS, edgeBytes, packedBytes, panelBytes, startBytes, tableBytes } from "./scratch";
import { sweep, sweepDirect } from "./sweep";

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
      padPlanes(padded, dy, outs, outHeight, outWidth, reachY, reachX, rows, 1, cols, 0);
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
@inline function tapsOf(first: i32, kernel: i32, step: i32): i32 {
  return first < kernel ? (kernel - 1 - first) / step + 1 : 0;
}
