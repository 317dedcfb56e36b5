// Windows that slide over images: their options, and the sizes that follow. Shared by convolutions, pools and interpolation.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { type Shape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedTensor } from "./operands.js";

/** One number for each axis of the image, or one for all. */
export type PerAxis = number | readonly number[];
/** Rows, then columns. */
export type Pair = readonly [rows: number, cols: number];

/** No size or padded size may be larger: kernels count in i32. */
const LARGEST = 2 ** 30;

/** A value for a message, on one line. */
export function showOption(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => (typeof item === "object" || typeof item === "function" ? typeof item : String(item))).join(",")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  return value === null || (typeof value !== "object" && typeof value !== "function") ? String(value) : `a value of type ${typeof value}`;
}

/** Throws ConfigError unless the value is a whole number from `least` to 2^30. */
export function checkedWhole(op: string, name: string, value: unknown, least: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > LARGEST) {
    throw new ConfigError(`${op}: expected a whole number >= ${least} for ${name}; got ${showOption(value)}`);
  }
  return value as number;
}

/**
 * Rows and columns of an option of an image with one or two axes; the rows of an image with one axis are `neutral`.
 * Throws ConfigError unless it is a whole number, or a list of one for each axis, from `least` on.
 */
export function checkedPair(op: string, name: string, value: unknown, axes: number, least: number, neutral: number): Pair {
  const list = Array.isArray(value) ? value : [value];
  if (list.length !== 1 && list.length !== axes) {
    throw new ConfigError(`${op}: expected a number${axes === 2 ? " or a pair" : ""} for ${name}; got ${showOption(value)}`);
  }
  for (const item of list) {
    if (!Number.isInteger(item) || item < least || item > LARGEST) {
      throw new ConfigError(`${op}: expected whole numbers >= ${least} for ${name}; got ${showOption(value)}`);
    }
  }
  const last = list[list.length - 1] as number;
  return [axes === 1 ? neutral : (list[0] as number), last];
}

/** Throws DtypeError, DisposedError or ShapeError unless x is an image with `axes` axes: [N, C, ...], or [C, ...] where that is allowed. */
export function checkedImage(op: string, x: Tensor, axes: number, unbatched: boolean): void {
  checkedTensor(op, "x", x);
  x.alive(op);
  if (x.ndim === axes + 2 || (unbatched && x.ndim === axes + 1)) return;
  const image = axes === 1 ? "L" : "H, W";
  throw new ShapeError(`${op}: expected x [N, C, ${image}]${unbatched ? ` or [C, ${image}]` : ""}; got shape ${showShape(x.shape)}`);
}

/** Output size of a window along an axis: floor((n + before + after - reach) / stride) + 1, reach = dilation (kernel - 1) + 1. */
export function windowCount(op: string, n: number, kernel: number, stride: number, before: number, after: number, dilation: number): number {
  const reach = dilation * (kernel - 1) + 1;
  const padded = n + before + after;
  if (padded > LARGEST) throw new ShapeError(`${op}: expected a padded size up to ${LARGEST}; got ${padded}`);
  if (padded < reach || n < 1)
    throw new ShapeError(`${op}: expected an input at least as large as the kernel; got size ${n}, padded ${padded}, and a kernel that spans ${reach}`);
  return Math.floor((padded - reach) / stride) + 1;
}

/**
 * Output size of a pool along an axis. With `ceilMode` a last window that is not whole counts, if it begins inside of the input
 * or of the padding before it.
 */
export function poolCount(op: string, n: number, kernel: number, stride: number, padding: number, dilation: number, ceilMode: boolean): number {
  const reach = dilation * (kernel - 1) + 1;
  if (padding > Math.floor(reach / 2))
    throw new ConfigError(`${op}: expected a padding of at most half of the kernel; got ${padding} and a kernel that spans ${reach}`);
  const room = n + 2 * padding - reach;
  let count = Math.floor((room + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  if (ceilMode && (count - 1) * stride >= n + padding) count--;
  if (count < 1 || n < 1)
    throw new ShapeError(`${op}: expected an input as large as the kernel; got size ${n}, padding ${padding}, and a kernel that spans ${reach}`);
  if (n + 2 * padding + stride > 2 * LARGEST) throw new ShapeError(`${op}: expected sizes up to ${LARGEST}; got ${n} with stride ${stride}`);
  return count;
}

/** Leading axes as one number of planes. */
export function planesOf(shape: Shape): number {
  let planes = 1;
  for (let i = 0; i < shape.length - 2; i++) planes *= shape[i];
  return planes;
}

/** The last two sizes. */
export function pairOf(shape: Shape): Pair {
  return [shape[shape.length - 2], shape[shape.length - 1]];
}
