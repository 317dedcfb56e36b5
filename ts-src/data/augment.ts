// Images changed a little at random, so that a network sees others in each round. What becomes of an example depends on the seed, the
// round of the loader and the example's number alone, however batches are put together and whichever thread makes them.
import { beforeJob } from "../../bindings/background.js";
import { isFloat } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, mul } from "../ops/binary.js";
import { checkedNumber, checkedOptions } from "../ops/checks.js";
import { full } from "../ops/create.js";
import { concat } from "../ops/join.js";
import { checkedSeed, exampleBits, exampleNormals } from "../ops/random.js";
import { takeRows } from "../ops/rows.js";
import { reshape } from "../ops/shape.js";
import type { Place, Transform } from "./dataset.js";
import { numberTensor } from "./numbers.js";

export interface NoiseOptions {
  /** Seed of what is drawn; 0 by default. */
  seed?: number;
}

export interface FlipOptions extends NoiseOptions {
  /** Rows and columns of an image, where inputs are flat as those of mnist(); by default the last two axes. */
  size?: readonly [rows: number, cols: number];
  /** Of a flip; 0.5 by default. */
  probability?: number;
}

export interface ShiftOptions extends NoiseOptions {
  /** Rows and columns of an image, where inputs are flat as those of mnist(); by default the last two axes. */
  size?: readonly [rows: number, cols: number];
  /** What comes in at the edges; 0 by default. */
  value?: number;
}

/** Random words of different uses are independent. */
const SHIFT = 0;
const FLIP = 1;
const WORDS = 2 ** 32;

/**
 * Moves each image by whole pixels from -pixels to pixels, down and to the right, each as likely; all channels alike. For the option
 * `transform` of a DataLoader or map() of a dataset. Throws ConfigError; the transform throws ShapeError for inputs that are no images.
 */
export function shift(pixels: number, options: ShiftOptions = {}): Transform {
  const { seed = 0, value = 0, size } = checkedOptions("shift", options, ["seed", "size", "value"]);
  checkedSeed("shift", seed);
  checkedSize("shift", size);
  if (!Number.isInteger(pixels) || pixels < 0) throw new ConfigError(`shift: expected a whole number of pixels >= 0; got ${showValue(pixels)}`);
  checkedNumber("shift", "value", value, -Number.MAX_VALUE, Number.MAX_VALUE);
  return ([x, y], place) => {
    const bits = drawn("shift", x, place, 2, { seed, epoch: place.epoch, use: SHIFT });
    const moved = Int32Array.from(bits, (word) => Math.floor((word / WORDS) * (2 * pixels + 1)) - pixels);
    const move = (i: number): Move => ({ down: moved[2 * i], first: -moved[2 * i + 1], step: 1 });
    return [rearranged("shift", x, size, move, value), y];
  };
}

/**
 * Mirrors images left to right, each with the probability 0.5. For the option `transform` of a DataLoader or map() of a dataset.
 * Throws ConfigError; the transform throws ShapeError for inputs that are no images.
 */
export function flip(options: FlipOptions = {}): Transform {
  const { seed = 0, probability = 0.5, size } = checkedOptions("flip", options, ["seed", "size", "probability"]);
  checkedSeed("flip", seed);
  checkedSize("flip", size);
  checkedNumber("flip", "probability", probability, 0, 1);
  return ([x, y], place) => {
    const bits = drawn("flip", x, place, 1, { seed, epoch: place.epoch, use: FLIP });
    const move = (i: number, cols: number): Move => (bits[i] < probability * WORDS ? { down: 0, first: cols - 1, step: -1 } : { down: 0, first: 0, step: 1 });
    return [rearranged("flip", x, size, move, 0), y];
  };
}

/**
 * Adds normal numbers of this deviation to the inputs. For the option `transform` of a DataLoader or map() of a dataset.
 * Throws ConfigError; the transform throws DtypeError for inputs that are no floats.
 */
export function noise(deviation: number, options: NoiseOptions = {}): Transform {
  const { seed = 0 } = checkedOptions("noise", options, ["seed"]);
  checkedSeed("noise", seed);
  checkedNumber("noise", "deviation", deviation, 0, Number.MAX_VALUE);
  return ([x, y], place) => {
    checkedRows("noise", x, place);
    if (!isFloat(x.dtype)) throw new DtypeError(`noise: expected inputs of dtype float32 or float64; got ${x.dtype}; convert them with .to("float32")`);
    return [add(x, mul(exampleNormals(place.index, x.shape, x.dtype, { seed, epoch: place.epoch }), deviation)), y];
  };
}

function checkedSize(what: string, size: unknown): void {
  if (size === undefined) return;
  if (Array.isArray(size) && size.length === 2 && size.every((n) => Number.isInteger(n) && n > 0)) return;
  throw new ConfigError(`${what}: expected size [rows, cols], whole numbers above 0; got ${Array.isArray(size) ? `[${size.map(String)}]` : showValue(size)}`);
}

function checkedRows(what: string, x: Tensor, { index }: Place): void {
  if (x.ndim > 0 && x.shape[0] === index.length) return;
  throw new ShapeError(`${what}: expected inputs of ${index.length} examples; got ${showShape(x.shape)}`);
}

/** Random words for each example. */
function drawn(what: string, x: Tensor, place: Place, count: number, of: Parameters<typeof exampleBits>[2]): Uint32Array {
  checkedRows(what, x, place);
  return beforeJob(() => exampleBits(place.index, count, of));
}

/** An element at [row, col] comes from [row - down, first + step col]. */
interface Move {
  readonly down: number;
  readonly first: number;
  readonly step: number;
}

type Moves = (example: number, cols: number) => Move;

/** Images whose elements come from other places of the same image, or are `value` where that lies outside. */
function rearranged(what: string, x: Tensor, size: readonly [number, number] | undefined, moves: Moves, value: number): Tensor {
  const [rows, cols] = size ?? x.shape.slice(-2);
  const image = rows * cols;
  const example = x.size / Math.max(1, x.shape[0]);
  if ((size === undefined && x.ndim < 3) || example % image !== 0) {
    const expected =
      size === undefined ? "images [n, rows, cols] or [n, channels, rows, cols], or the option size" : `examples of ${rows} x ${cols} elements a channel`;
    throw new ShapeError(`${what}: expected ${expected}; got ${showShape(x.shape)}`);
  }
  const from = new Int32Array(x.size);
  let at = 0;
  for (let i = 0; i < x.shape[0]; i++) {
    const { down, first, step } = moves(i, cols);
    for (const end = at + example; at < end; ) {
      const begin = at;
      for (let row = -down; row < rows - down; row++) {
        const inside = row >= 0 && row < rows;
        for (let col = 0; col < cols; col++, at++) {
          const c = first + step * col;
          from[at] = inside && c >= 0 && c < cols ? begin + row * cols + c : from.length;
        }
      }
    }
  }
  const elements = concat([reshape(x, [x.size]), full([1], value, { dtype: x.dtype })]);
  const index = numberTensor(from);
  try {
    return reshape(takeRows(reshape(elements, [x.size + 1, 1]), index), x.shape);
  } finally {
    index.dispose();
  }
}
