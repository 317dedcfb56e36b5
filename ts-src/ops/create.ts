// Tensors from values: literals, constants, sequences.

import { checkedDtype, type DType, isFloat, type TypedArray } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { adopt } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { allocated, copyInto } from "../../bindings/op.js";
import { checkedShape, type Shape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { type NestedArray, Tensor } from "../../bindings/tensor.js";
import { checkedOptions } from "./checks.js";
import { detach, to } from "./convert.js";
import { checkedTensor } from "./operands.js";

export interface CreateOptions {
  /** "float32" by default; for a typed array its own, for booleans "bool". */
  dtype?: DType;
  /** Whether backward() leaves a gradient in `grad`. */
  requiresGrad?: boolean;
}

/** A new tensor of unset elements, owned by the innermost scope or the garbage collector. */
export function created(origin: string, shape: Shape, options: CreateOptions, dtype: DType = "float32"): Tensor {
  checkedOptions(origin, options, ["dtype", "requiresGrad"]);
  const { requiresGrad = false } = options;
  const chosen = checkedDtype(origin, options.dtype ?? dtype);
  if (typeof requiresGrad !== "boolean") throw new ConfigError(`${origin}: expected requiresGrad: true or false; got ${showValue(requiresGrad)}`);
  if (requiresGrad && !isFloat(chosen)) throw new DtypeError(`${origin}: expected a float dtype with requiresGrad; got ${chosen}`);
  const t = allocated(origin, chosen, checkedShape(origin, shape));
  if (requiresGrad) t.requiresGrad = true;
  adopt(t, undefined);
  return t;
}

const MOST_AXES = 64; // of nested arrays, as in NumPy

/** Numbers as a dtype holds them: uint8 and int32 wrap, bool is 0 or 1. */
function assign(t: Tensor, values: ArrayLike<number>): Tensor {
  const target = view(t.ptr, t.size, t.dtype);
  if (t.dtype === "bool") for (let i = 0; i < target.length; i++) target[i] = values[i] ? 1 : 0;
  else target.set(values);
  return t;
}

function dtypeOfArray(data: TypedArray): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  return data instanceof Int32Array ? "int32" : "uint8";
}

/**
 * A tensor from a number, nested arrays, a typed array (1-D, of its dtype) or another tensor (a copy).
 * Throws ShapeError for rows of different lengths, DtypeError for what is no number.
 */
export function tensor(data: NestedArray | TypedArray | Tensor, options: CreateOptions = {}): Tensor {
  if (data instanceof Tensor) {
    data.alive("tensor");
    const y = created("tensor", data.shape, options, data.dtype);
    if (y.dtype === data.dtype) copyInto(y, data);
    else {
      const source = to(detach(data), y.dtype);
      copyInto(y, source);
      source.dispose();
    }
    return y;
  }
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array || data instanceof Uint8Array) {
    return assign(created("tensor", [data.length], options, dtypeOfArray(data)), data);
  }
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level); level = level[0]) {
    if (shape.length === MOST_AXES) throw new ShapeError(`tensor: expected arrays nested at most ${MOST_AXES} deep; got deeper ones`);
    shape.push(level.length);
  }
  const flat: number[] = [];
  let booleans = true;
  const visit = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof value === "number") booleans = false;
      else if (typeof value !== "boolean") {
        if (Array.isArray(value)) throw new ShapeError(`tensor: expected a number at depth ${axis}, as elsewhere; got an array of ${value.length}`);
        throw new DtypeError(`tensor: expected numbers; got ${showValue(value)}`);
      }
      flat.push(Number(value));
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      const got = Array.isArray(value) ? `an array of ${value.length}` : showValue(value);
      throw new ShapeError(`tensor: expected arrays of one length, ${shape[axis]} at depth ${axis}; got ${got}`);
    }
    for (const item of value) visit(item, axis + 1);
  };
  visit(data, 0);
  return assign(created("tensor", shape, options, booleans && flat.length > 0 ? "bool" : "float32"), flat);
}

/** A tensor filled with one value, as its dtype holds it. Throws ShapeError, DtypeError, ConfigError for what cannot be. */
export function full(shape: Shape, value: number, options: CreateOptions = {}): Tensor {
  if (typeof value !== "number") throw new DtypeError(`full: expected a number; got ${showValue(value)}`);
  return filled("full", shape, value, options);
}

function filled(origin: string, shape: Shape, value: number, options: CreateOptions): Tensor {
  const y = created(origin, shape, options);
  fillWith(y, value);
  return y;
}

/** Sets every element of a contiguous tensor. */
export function fillWith(y: Tensor, value: number): void {
  fillAt(y.ptr, y.size, y.dtype, value);
}

/** Sets n elements at an address. */
export function fillAt(ptr: number, n: number, dtype: DType, value: number): void {
  if (isFloat(dtype)) kernelsOf(dtype).fill(ptr, value, n);
  else view(ptr, n, dtype).fill(dtype === "bool" ? Number(value !== 0) : value);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return filled("zeros", shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return filled("ones", shape, 1, options);
}

function filledLike(origin: string, x: Tensor, value: number, options: CreateOptions): Tensor {
  checkedTensor(origin, "x", x);
  checkedOptions(origin, options, ["dtype", "requiresGrad"]);
  return filled(origin, x.alive(origin).shape, value, { ...options, dtype: options.dtype ?? x.dtype });
}

/** Zeros of the shape and dtype of x. */
export function zerosLike(x: Tensor, options: CreateOptions = {}): Tensor {
  return filledLike("zerosLike", x, 0, options);
}

/** Ones of the shape and dtype of x. */
export function onesLike(x: Tensor, options: CreateOptions = {}): Tensor {
  return filledLike("onesLike", x, 1, options);
}

/** Identity matrix [n, n], or [n, m] with ones on its main diagonal. */
export function eye(n: number, options?: CreateOptions): Tensor;
export function eye(n: number, m?: number, options?: CreateOptions): Tensor;
export function eye(n: number, m: number | CreateOptions = n, options: CreateOptions = {}): Tensor {
  const [cols, rest] = m !== null && typeof m === "object" ? [n, m] : [m, options];
  const y = filled("eye", [n, cols], 0, rest);
  const data = view(y.ptr, y.size, y.dtype);
  for (let i = 0; i < Math.min(n, cols); i++) data[i * (cols + 1)] = 1;
  return y;
}

/**
 * start, start + step, ... below stop (above it for a negative step); with one number 0, 1, ... below it. Options come last.
 * Throws ConfigError for a step of 0 or a bound that is not finite.
 */
export function arange(stop: number, options?: CreateOptions): Tensor;
export function arange(start: number, stop: number | undefined, options?: CreateOptions): Tensor;
export function arange(start: number, stop?: number, step?: number, options?: CreateOptions): Tensor;
export function arange(...given: [number, ...(number | CreateOptions | undefined)[]]): Tensor {
  const last = given.length - 1;
  const early = last > 0 && last < 3 && given[last] !== null && typeof given[last] === "object";
  const [start, stop, step = 1] = (early ? given.slice(0, last) : given) as [number, number?, number?];
  const options = (early ? given[last] : given[3]) as CreateOptions | undefined;
  const from = stop === undefined ? 0 : start;
  const end = stop === undefined ? start : stop;
  if (!Number.isFinite(from) || !Number.isFinite(end) || !Number.isFinite(step) || step === 0) {
    throw new ConfigError(`arange: expected finite start, stop and a step other than 0; got ${showValue(from)}, ${showValue(end)}, ${showValue(step)}`);
  }
  const n = Math.max(0, Math.ceil((end - from) / step));
  return counted("arange", n, options ?? {}, (i) => from + i * step);
}

/** n numbers from a to b, both included, evenly spaced. Throws ConfigError for an end that is not finite, ShapeError for n. */
export function linspace(a: number, b: number, n: number, options: CreateOptions = {}): Tensor {
  if (!Number.isFinite(a) || !Number.isFinite(b)) throw new ConfigError(`linspace: expected finite ends; got ${showValue(a)}, ${showValue(b)}`);
  return counted("linspace", n, options, (i) => (i === n - 1 && n > 1 ? b : a + (i * (b - a)) / Math.max(1, n - 1)));
}

/** The values of a function of the position. */
function counted(origin: string, n: number, options: CreateOptions, value: (i: number) => number): Tensor {
  const y = created(origin, [n], options);
  const target = view(y.ptr, y.size, y.dtype);
  if (y.dtype === "bool") for (let i = 0; i < n; i++) target[i] = value(i) ? 1 : 0;
  else for (let i = 0; i < n; i++) target[i] = value(i);
  return y;
}

/** A tensor over bytes that are laid out as `dtype`, row-major; throws ShapeError if their number does not fit. */
export function fromBytes(bytes: Uint8Array, dtype: DType, shape: Shape): Tensor {
  const y = created("fromBytes", shape, { dtype });
  const target = view(y.ptr, y.size, dtype);
  if (bytes.byteLength !== target.byteLength) {
    y.dispose();
    throw new ShapeError(`fromBytes: expected ${target.byteLength} bytes for ${dtype} ${showShape(shape)}; got ${bytes.byteLength}`);
  }
  new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
  return y;
}
