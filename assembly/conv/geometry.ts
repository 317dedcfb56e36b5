// Sizes of the padded images that the convolutions read, blocks of the inner size, and the table of the taps.
import { at } from "../vector";
import { BLOCK_K } from "./scratch";

/** Input rows that the outputs read. */
// @ts-ignore: decorator
@inline export function span(out: i32, stride: i32, kernel: i32, dilation: i32): i32 {
  return (out - 1) * stride + (kernel - 1) * dilation + 1;
}

/** Elements of each residue of a padded line. */
// @ts-ignore: decorator
@inline export function lineOf(out: i32, stride: i32, kernel: i32, dilation: i32): i32 {
  return (span(out, stride, kernel, dilation) + stride - 1) / stride;
}

/** How many outputs before its own the last tap of an input belongs to. */
// @ts-ignore: decorator
@inline export function reach(kernel: i32, dilation: i32, stride: i32): i32 {
  return (kernel - 1) * dilation / stride;
}

/** The last output that reads an input, 0 if there is none. */
// @ts-ignore: decorator
@inline export function last(size: i32, pad: i32, stride: i32): i32 {
  return max(0, size - 1 + pad) / stride;
}

/** Blocks of the inner size k that are as even as can be. */
// @ts-ignore: decorator
@inline export function depthOf(k: i32): i32 {
  const blocks = max(1, (k + BLOCK_K - 1) / BLOCK_K);
  return max(1, (k + blocks - 1) / blocks);
}

/** taps[c, u, v]: where the padded image is read for a pixel. */
export function forwardTaps(
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
