// Random tensors. Each call takes the next stream of the seed, so a program draws the same numbers each time it runs.

import { ConfigError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { scratch, view } from "../../bindings/memory.js";
import type { Shape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { type CreateOptions, created } from "./create.js";

let seed = 0;
let stream = 0;

/** Starts the random numbers anew; throws ConfigError unless n is a whole number from 0 to 2^32 - 1. */
export function manualSeed(n: number): void {
  seed = checkedSeed("manualSeed", n);
  stream = 0;
}

/** A seed that came from outside. */
export function checkedSeed(name: string, n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 0xffffffff) throw new ConfigError(`${name}: expected a seed from 0 to 4294967295; got ${String(n)}`);
  return n;
}

function floatOnly(name: string, options: CreateOptions): void {
  if (options.dtype !== undefined && options.dtype !== "float32" && options.dtype !== "float64") {
    throw new ConfigError(`${name}: expected dtype float32 or float64; got ${options.dtype}`);
  }
}

/** Uniform in [low, high), 24 random bits an element (Philox, Salmon et al. 2011). */
export function uniform(shape: Shape, low: number, high: number, options: CreateOptions = {}): Tensor {
  floatOnly("uniform", options);
  const y = created("uniform", shape, options);
  kernelsOf(y.dtype).uniform(y.ptr, y.size, low, high, seed, stream++, 0, scratch(16));
  return y;
}

/** Uniform in [0, 1). */
export function rand(shape: Shape, options: CreateOptions = {}): Tensor {
  return uniform(shape, 0, 1, options);
}

/** Normal with mean 0 and standard deviation 1. */
export function randn(shape: Shape, options: CreateOptions = {}): Tensor {
  floatOnly("randn", options);
  const y = created("randn", shape, options);
  kernelsOf(y.dtype).normal(y.ptr, y.size, seed, stream++, 0, scratch(16));
  return y;
}

/** Whole numbers in [low, high), int32 by default; throws ConfigError unless low < high are whole. */
export function randint(low: number, high: number, shape: Shape, options: CreateOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low >= high || high - low > 0xffffffff) {
    throw new ConfigError(`randint: expected whole numbers low < high; got ${low}, ${high}`);
  }
  const y = created("randint", shape, options, "int32");
  const bits = randomBits(y.size, seed, stream++);
  const target = view(y.ptr, y.size, y.dtype);
  for (let i = 0; i < target.length; i++) target[i] = low + Math.floor((bits[i] / 2 ** 32) * (high - low));
  return y;
}

/** n random words of 32 bits from a stream of a seed. */
export function randomBits(n: number, from: number, fromStream: number): Uint32Array {
  const bits = new Uint32Array(n);
  const k = kernelsOf("float32");
  const out = scratch(16);
  const words = view(out, 4, "int32");
  for (let i = 0; i < n; i += 4) {
    k.philox(out, i / 4, 0, fromStream, 1, from, 2);
    for (let j = 0; j < 4 && i + j < n; j++) bits[i + j] = words[j];
  }
  return bits;
}

/** The numbers 0..n-1 in random order (Fisher and Yates), a function of seed and stream alone. */
export function permutation(n: number, from: number, fromStream: number): Int32Array {
  const bits = randomBits(n, from, fromStream);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((bits[i] / 2 ** 32) * (i + 1));
    const other = order[j];
    order[j] = order[i];
    order[i] = other;
  }
  return order;
}
