// Random tensors. Each call takes the next stream of the seed, so a program draws the same numbers each time it runs;
// element i is a function of (seed, stream, i) alone (Philox, Salmon et al. 2011).

import { type DType, itemBytes } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, NumericError } from "../../bindings/errors.js";
import { type Kernels, kernelsOf } from "../../bindings/kernels.js";
import { adopt } from "../../bindings/lifetime.js";
import { scratch, view } from "../../bindings/memory.js";
import { allocated } from "../../bindings/op.js";
import { checkedShape, type Shape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { dividedRange, range } from "../../bindings/split.js";
import { Tensor } from "../../bindings/tensor.js";
import { activeTracer } from "../../bindings/trace.js";
import { checkedOptions } from "./checks.js";
import { clone, to } from "./convert.js";
import { type CreateOptions, created, full } from "./create.js";
import { stack } from "./join.js";
import { broadcastTo, reshape } from "./shape.js";

let seed = 0;
let stream = 0;
/** The third word of keys that are apart from the program's; undefined for those of the program. */
let branch: number | undefined;

const SCRATCH = 384; // bytes that a kernel of assembly/random.ts uses at most
const BATCHES = 16; // second word of a key of Philox; assembly/random.ts has those from 0 on (Purpose)

/** Starts the random numbers anew; throws ConfigError unless n is a whole number from 0 to 2^32 - 1. */
export function manualSeed(n: number): void {
  seed = checkedSeed("manualSeed", n);
  stream = 0;
  branch = undefined;
}

/** A seed that came from outside. */
export function checkedSeed(name: string, n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 0xffffffff) throw new ConfigError(`${name}: expected a seed from 0 to 4294967295; got ${showValue(n)}`);
  return n;
}

/** Names the random numbers of one call: the seed, and two words that no other call has. */
export interface Key {
  readonly seed: number;
  readonly low: number;
  readonly high: number;
}

/** For an op that may draw and does not: it takes no stream, in no run of a graph either. */
export const NO_KEY: Key = { seed: 0, low: 0, high: 0 };

/** From where on streams are taken. */
export interface Streams {
  readonly seed: number;
  readonly stream: number;
  readonly branch: number | undefined;
}

/** The streams that the next calls take. */
export function nextStreams(): Streams {
  return { seed, stream, branch };
}

function goOnWith(streams: Streams): void {
  ({ seed, stream, branch } = streams);
}

/** Where the random numbers stand; the next call draws the same from the same place. */
export interface RandomState {
  readonly seed: number;
  readonly stream: number;
}

export function randomState(): RandomState {
  return { seed, stream };
}

/** Goes on from a place; throws ConfigError for none. */
export function restoreRandom(name: string, state: RandomState): void {
  const from = checkedSeed(name, state.seed);
  if (!Number.isSafeInteger(state.stream) || state.stream < 0)
    throw new ConfigError(`${name}: expected a stream, a whole number >= 0; got ${showValue(state.stream)}`);
  seed = from;
  stream = state.stream;
  branch = undefined;
}

/** Runs `fn` with the streams from `first` on, as when it ran before, and goes on where things stood. */
export function replaying<T>(first: Streams, fn: () => T): T {
  const here = nextStreams();
  goOnWith(first);
  try {
    return fn();
  } finally {
    goOnWith(here);
  }
}

/**
 * Streams for the batches of a round, each a function of the program's seed as it is now, of the seed `from`, of the round and of the
 * batch alone: words 1 and 2 of Philox tell where they begin, among 2^62 places that no other call has.
 */
export function batchStreams(from: number, round: number): (batch: number) => Streams {
  const own = seed;
  return (batch) => {
    const words = scratch(16);
    kernelsOf("int32").philox(words, batch, round, 0, 0, from, BATCHES);
    const [first, second] = view(words, 2, "int32");
    return { seed: own, stream: first >>> 0, branch: (second | 3) >>> 0 };
  };
}

export function nextKey(): Key {
  const own = stream++;
  // of the third words the program has the even ones, batches those that end in binary 11, randomBits() 1, and examples the others that end in 01
  const key = { seed, low: own % 2 ** 32, high: branch ?? Math.floor(own / 2 ** 32) * 2 };
  activeTracer()?.drew(key);
  return key;
}

/** Draws a random tensor now, or as the tracer says. It asks for its gradient itself, as within vmap it stands for one example. */
function drawn(shape: Shape, options: CreateOptions, make: (shape: Shape, options: CreateOptions) => Tensor): Tensor {
  const { requiresGrad = false, ...rest } = options;
  const tracer = activeTracer();
  if (tracer === undefined) return make(shape, options);
  const y = tracer.draw(shape, (whole) => make(whole, rest));
  if (requiresGrad) y.requiresGrad = true;
  return y;
}

function floatOptions(name: string, options: CreateOptions): CreateOptions {
  const checked = checkedOptions(name, options, ["dtype", "requiresGrad"]);
  const { dtype } = checked;
  if (dtype !== undefined && dtype !== "float32" && dtype !== "float64") {
    throw new ConfigError(`${name}: expected dtype float32 or float64; got ${showValue(dtype)}`);
  }
  return checked;
}

/** Numbers are drawn 32 at a time, see assembly/random.ts: a part begins with whole blocks. */
const BLOCK = 32;
/** What drawing a number costs, in multiply-adds at full speed: ten rounds of Philox, 0.5 to 1.5 ns. */
const DRAW_FLOPS = 80;

/** Calls `draw` on all elements of y, or on parts from `first` on beside each other where that is worth it. */
function filled(y: Tensor, draw: (k: Kernels, ptr: number, n: number, first: number, room: number) => void): void {
  const { dtype, size } = y;
  const parts: Tensor[] = [];
  let done = false;
  try {
    done = dividedRange({ flops: DRAW_FLOPS * size, bytes: size * itemBytes(dtype) }, size, BLOCK, true, (from, to) => {
      const part = range(y, from, to);
      parts.push(part);
      return { reads: [], writes: [part], run: () => draw(kernelsOf(dtype), part.ptr, to - from, from, scratch(SCRATCH)) };
    });
  } finally {
    for (const part of parts) part.dispose();
  }
  if (!done) draw(kernelsOf(dtype), y.ptr, size, 0, scratch(SCRATCH));
}

function fillUniform(y: Tensor, low: number, high: number): void {
  const key = nextKey();
  filled(y, (k, ptr, n, first, room) => k.uniform(ptr, n, first, low, high, key.seed, key.low, key.high, room));
}

/** Uniform in [low, high), with 24 random bits an element in float32 and 53 in float64. */
export function uniform(shape: Shape, low: number, high: number, options: CreateOptions = {}): Tensor {
  return drawn(shape, floatOptions("uniform", options), (whole, rest) => {
    const y = created("uniform", whole, rest);
    fillUniform(y, low, high);
    return y;
  });
}

/** Uniform in [0, 1), with 24 random bits an element in float32 (default) and 53 in float64. */
export function rand(shape: Shape, options: CreateOptions = {}): Tensor {
  return drawn(shape, floatOptions("rand", options), (whole, rest) => {
    const y = created("rand", whole, rest);
    fillUniform(y, 0, 1);
    return y;
  });
}

/** Normal with mean 0 and standard deviation 1, float32 by default (Box and Muller 1958: sqrt(-2 log u) cos(2 pi v) and sin). */
export function randn(shape: Shape, options: CreateOptions = {}): Tensor {
  return drawn(shape, floatOptions("randn", options), (whole, rest) => {
    const y = created("randn", whole, rest);
    const key = nextKey();
    filled(y, (k, ptr, n, first, room) => k.normal(ptr, n, first, key.seed, key.low, key.high, room));
    return y;
  });
}

const ranges: Record<DType, [least: number, end: number]> = {
  float32: [-(2 ** 24), 2 ** 24 + 1],
  float64: [-(2 ** 31), 2 ** 31],
  int32: [-(2 ** 31), 2 ** 31],
  uint8: [0, 256],
  bool: [0, 2],
};

/**
 * Whole numbers in [low, high), int32 by default: low + floor((high - low) u) for 64 random bits u.
 * Throws ConfigError unless low < high are whole and the dtype holds them.
 */
export function randint(low: number, high: number, shape: Shape, options: CreateOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low >= high || high - low > 0xffffffff) {
    throw new ConfigError(`randint: expected whole numbers low < high, at most 4294967295 apart; got ${showValue(low)}, ${showValue(high)}`);
  }
  const { dtype = "int32", requiresGrad = false } = checkedOptions("randint", options, ["dtype", "requiresGrad"]);
  if (!Object.hasOwn(ranges, dtype)) throw new DtypeError(`randint: expected a dtype among ${Object.keys(ranges).join(", ")}; got ${showValue(dtype)}`);
  const [least, end] = ranges[dtype];
  if (low < least || high > end) throw new ConfigError(`randint: expected numbers from ${least} to below ${end} for ${dtype}; got ${low}, ${high}`);
  if (requiresGrad && !dtype.startsWith("float")) throw new DtypeError(`randint: expected a float dtype with requiresGrad; got ${dtype}`);
  const whole = drawn(shape, { dtype: "int32" }, (all, rest) => {
    const words = created("randint", all, rest);
    const key = nextKey();
    filled(words, (k, ptr, n, first, room) => k.randint(ptr, n, first, low, high - low, key.seed, key.low, key.high, room));
    return words;
  });
  if (dtype === "int32") return whole;
  try {
    const y = to(whole, dtype);
    if (requiresGrad) y.requiresGrad = true;
    return y;
  } finally {
    whole.dispose();
  }
}

/**
 * 1 with probability p, else 0: p is a number, and `shape` says how many (float32 by default); or a float tensor of
 * probabilities, whose shape and dtype the answer has unless others are given. Throws NumericError for p outside 0..1.
 */
export function bernoulli(p: Tensor | number, shape?: Shape, options: CreateOptions = {}): Tensor {
  const name = "bernoulli";
  if (typeof p !== "number" && !(p instanceof Tensor)) throw new DtypeError(`${name}: expected a number or a tensor for p; got ${showValue(p)}`);
  const checked = floatOptions(name, options);
  if (p instanceof Tensor) {
    p.alive(name);
    if (p.dtype !== "float32" && p.dtype !== "float64") throw new DtypeError(`${name}: expected p of dtype float32 or float64; got ${p.dtype}`);
  } else if (shape === undefined) throw new ConfigError(`${name}: expected a shape beside the number ${p}`);
  const size = checkedShape(name, shape ?? (p as Tensor).shape);
  const dtype = (checked.dtype as "float32" | undefined) ?? (p instanceof Tensor ? (p.dtype as "float32") : "float32");
  return drawn(size, { ...checked, dtype }, (whole, rest) => trials(p, whole, rest, dtype));
}

function trials(p: Tensor | number, shape: Shape, options: CreateOptions, dtype: "float32" | "float64"): Tensor {
  const name = "bernoulli";
  const bounds = allocated(name, dtype, shape);
  try {
    if (p instanceof Tensor) {
      // the widened p is a view, read by the one copy
      const wide = broadcastTo(p, shape);
      const same = to(wide, dtype);
      const packed = clone(same);
      view(bounds.ptr, bounds.size, dtype).set(view(packed.ptr, packed.size, dtype));
      for (const t of [packed, same, wide]) t.dispose();
    } else kernelsOf(dtype).fill(bounds.ptr, p, bounds.size);
    for (const q of view(bounds.ptr, p instanceof Tensor ? bounds.size : Math.min(1, bounds.size), dtype)) {
      if (!(q >= 0 && q <= 1)) throw new NumericError(`${name}: expected probabilities from 0 to 1; got ${q}`);
    }
    const y = created(name, shape, options);
    fillUniform(y, 0, 1);
    kernelsOf(dtype).bernoulli(y.ptr, y.ptr, bounds.ptr, y.size);
    return y;
  } finally {
    bounds.dispose();
  }
}

/** The numbers 0..n-1 in random order, int32 (Fisher and Yates); throws ConfigError unless n is a whole number >= 0. */
export function permutation(n: number): Tensor {
  if (!Number.isInteger(n) || n < 0 || n > 0x7fffffff) throw new ConfigError(`permutation: expected a whole number from 0 to 2147483647; got ${showValue(n)}`);
  return drawn([n], {}, (shape) => {
    const orders = Array.from({ length: sizeOf(shape.slice(0, -1)) }, () => {
      const y = shuffled(n, nextKey());
      adopt(y, undefined);
      return y;
    });
    return shape.length === 1 ? orders[0] : reshape(stack(orders), shape);
  });
}

function shuffled(n: number, key: Key): Tensor {
  const words = allocated("permutation", "int32", [n]);
  try {
    const y = allocated("permutation", "int32", [n]);
    const k = kernelsOf("int32");
    k.randomWords(words.ptr, n, 0, key.seed, key.low, key.high, scratch(SCRATCH));
    k.shuffle(y.ptr, words.ptr, n);
    return y;
  } finally {
    words.dispose();
  }
}

/** n random words of 32 bits from a stream of a seed, apart from the streams that programs use. */
export function randomBits(n: number, from: number, fromStream: number): Uint32Array {
  const words = full([n], 0, { dtype: "int32" });
  kernelsOf("int32").randomWords(words.ptr, n, 0, from, fromStream, 1, scratch(SCRATCH));
  const bits = new Uint32Array(n);
  bits.set(view(words.ptr, n, "int32"));
  words.dispose();
  return bits;
}

/** The numbers 0..n-1 in random order, a function of seed and stream alone. */
export function shuffledNumbers(n: number, from: number, fromStream: number): Int32Array {
  const y = shuffled(n, { seed: from, low: fromStream, high: 1 });
  const numbers = Int32Array.from(view(y.ptr, n, "int32"));
  y.dispose();
  return numbers;
}

/** The key of an example in a round: apart from the streams of programs, and from those of randomBits() and shuffledNumbers(). */
function exampleKey(from: number, example: number, epoch: number): Key {
  return { seed: from, low: example, high: 4 * epoch + 5 };
}

/**
 * `count` random words for each example of a batch, which depend on seed, epoch, the example's number and `use` alone: uses of
 * one seed are independent.
 */
export function exampleBits(numbers: Int32Array, count: number, of: { seed: number; epoch: number; use: number }): Uint32Array {
  const words = allocated("exampleBits", "int32", [count]);
  const k = kernelsOf("int32");
  const room = scratch(SCRATCH);
  const bits = new Uint32Array(numbers.length * count);
  for (const [i, example] of numbers.entries()) {
    const key = exampleKey(of.seed, example, of.epoch);
    k.randomWords(words.ptr, count, BLOCK * of.use, key.seed, key.low, key.high, room);
    bits.set(view(words.ptr, count, "int32"), i * count);
  }
  words.dispose();
  return bits;
}

/** Normal numbers [n, ...] for n examples: each row depends on seed, epoch and the example's number alone. */
export function exampleNormals(numbers: Int32Array, shape: Shape, dtype: "float32" | "float64", of: { seed: number; epoch: number }): Tensor {
  const y = created("exampleNormals", shape, { dtype });
  const k = kernelsOf(dtype);
  const room = scratch(SCRATCH);
  const row = y.size / Math.max(1, numbers.length);
  for (const [i, example] of numbers.entries()) {
    const key = exampleKey(of.seed, example, of.epoch);
    k.normal(y.ptr + i * row * itemBytes(dtype), row, 0, key.seed, key.low, key.high, room);
  }
  return y;
}
