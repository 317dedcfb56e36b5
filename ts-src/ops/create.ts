// Tensors from values: literals, constants, sequences.
import { arrayOf, type DType, isFloat, type TypedArray } from "../../bindings/dtype.js";
import { ConfigError, DtypeError, ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { adopt } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { allocated, showValue } from "../../bindings/op.js";
import { checkedShape, type Shape, showShape } from "../../bindings/shape.js";
import { type NestedArray, Tensor } from "../../bindings/tensor.js";
import { clone, to } from "./convert.js";

export interface CreateOptions {
  /** "float32" by default; for a typed array its own, for booleans "bool". */
  dtype?: DType;
  /** Whether backward() leaves a gradient in `grad`. */
  requiresGrad?: boolean;
}

/** A new tensor of unset elements, owned by the innermost scope or the garbage collector. */
export function created(origin: string, shape: Shape, options: CreateOptions, dtype: DType = "float32"): Tensor {
  for (const name in options) {
    if (name !== "dtype" && name !== "requiresGrad") throw new ConfigError(`${origin}: expected options dtype, requiresGrad; got ${name}`);
  }
  const chosen = options.dtype ?? dtype;
  arrayOf(chosen);
  if (options.requiresGrad && !isFloat(chosen)) throw new DtypeError(`${origin}: expected a float dtype with requiresGrad; got ${chosen}`);
  const t = allocated(origin, chosen, checkedShape(origin, shape));
  if (options.requiresGrad) t.requiresGrad = true;
  adopt(t, undefined);
  return t;
}

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
    const source = to(data, options.dtype ?? data.dtype);
    const y = created("tensor", data.shape, options, data.dtype);
    const copy = clone(source);
    copyRaw(y, copy);
    copy.dispose();
    if (source !== data) source.dispose();
    return y;
  }
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array || data instanceof Uint8Array) {
    return assign(created("tensor", [data.length], options, dtypeOfArray(data)), data);
  }
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level); level = level[0]) shape.push(level.length);
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

function copyRaw(y: Tensor, x: Tensor): void {
  view(y.ptr, y.size, y.dtype).set(view(x.ptr, x.size, x.dtype));
}

/** A tensor filled with one value. */
export function full(shape: Shape, value: number, options: CreateOptions = {}): Tensor {
  if (typeof value !== "number") throw new DtypeError(`full: expected a number; got ${showValue(value)}`);
  const y = created("full", shape, options);
  fillWith(y, value);
  return y;
}

/** Sets every element of a contiguous tensor. */
export function fillWith(y: Tensor, value: number): void {
  if (isFloat(y.dtype)) kernelsOf(y.dtype).fill(y.ptr, value, y.size);
  else view(y.ptr, y.size, y.dtype).fill(y.dtype === "bool" ? Number(value !== 0) : value);
}

export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 1, options);
}

export function zerosLike(x: Tensor, options: CreateOptions = {}): Tensor {
  return full(x.shape, 0, { dtype: x.dtype, ...options });
}

export function onesLike(x: Tensor, options: CreateOptions = {}): Tensor {
  return full(x.shape, 1, { dtype: x.dtype, ...options });
}

/** Identity matrix [n, n]. */
export function eye(n: number, options: CreateOptions = {}): Tensor {
  const y = zeros([n, n], options);
  const data = view(y.ptr, y.size, y.dtype);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return y;
}

/**
 * start, start + step, ... below stop (above it for a negative step); with one argument 0, 1, ... below it.
 * Throws ConfigError for a step of 0 or a bound that is not finite.
 */
export function arange(start: number, stop?: number, step = 1, options: CreateOptions = {}): Tensor {
  const from = stop === undefined ? 0 : start;
  const end = stop ?? start;
  if (!Number.isFinite(from) || !Number.isFinite(end) || !Number.isFinite(step) || step === 0) {
    throw new ConfigError(`arange: expected finite start, stop and a step other than 0; got ${from}, ${end}, ${step}`);
  }
  const n = Math.max(0, Math.ceil((end - from) / step));
  const y = created("arange", [n], options);
  return assign(
    y,
    Float64Array.from({ length: n }, (_, i) => from + i * step),
  );
}

/** n numbers from a to b, both included, evenly spaced. */
export function linspace(a: number, b: number, n: number, options: CreateOptions = {}): Tensor {
  if (!Number.isFinite(a) || !Number.isFinite(b)) throw new ConfigError(`linspace: expected finite ends; got ${a}, ${b}`);
  const y = created("linspace", [n], options);
  return assign(
    y,
    Float64Array.from({ length: n }, (_, i) => (i === n - 1 && n > 1 ? b : a + (i * (b - a)) / Math.max(1, n - 1))),
  );
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
