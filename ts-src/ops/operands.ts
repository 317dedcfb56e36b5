// Checks and kernel calls that many declarations share.

import { type DType, isFloat, itemBytes } from "../../bindings/dtype.js";
import { DtypeError, NumericError, ShapeError } from "../../bindings/errors.js";
import type { Kernels } from "../../bindings/kernels.js";
import { write } from "../../bindings/memory.js";
import { allocated, type Spec } from "../../bindings/op.js";
import { broadcastShapes, sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { broadcasting, leading } from "./batching.js";

/** A number or a tensor, where either may stand. */
export type Operand = Tensor | number;

/** Throws DtypeError unless all have the same float dtype; answers it. */
export function floatDtype(op: string, x: { readonly [name: string]: Spec }): DType {
  let dtype: DType | undefined;
  for (const name in x) {
    const own = x[name].dtype;
    if (!isFloat(own)) throw new DtypeError(`${op}: expected ${name} of dtype float32 or float64; got ${own}; convert it with .to("float32")`);
    dtype ??= own;
    if (own !== dtype) {
      const all = Object.entries(x).map(([other, spec]) => `${other} ${spec.dtype}`);
      throw new DtypeError(`${op}: expected operands of one dtype; got ${all.join(", ")}; convert one with .to("${dtype}")`);
    }
  }
  return dtype as DType;
}

/** Throws DtypeError unless a tensor came. */
export function checkedTensor(op: string, name: string, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor)) throw new DtypeError(`${op}: expected a tensor for ${name}; got ${showValue(value)}`);
}

/** Throws DtypeError unless all have the same dtype, a float or int32; answers it. */
export function numberDtype(op: string, x: { readonly [name: string]: Spec }): DType {
  for (const name in x) {
    const { dtype } = x[name];
    if (dtype !== "int32" && !isFloat(dtype))
      throw new DtypeError(`${op}: expected ${name} of dtype float32, float64 or int32; got ${dtype}; convert it with .to("int32")`);
  }
  for (const name in x) if (x[name].dtype !== "int32") return floatDtype(op, x);
  return "int32";
}

const ranges = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255], bool: [0, 1] } as const;

/** Whether a dtype can hold a number; floats hold all, rounded. */
export function holds(dtype: DType, value: number): boolean {
  if (isFloat(dtype)) return true;
  const [least, most] = ranges[dtype];
  return Number.isInteger(value) && value >= least && value <= most;
}

/** A number as a 0-d tensor without owner, which the caller disposes. Throws DtypeError if the dtype cannot hold it. */
export function scalar(op: string, name: string, value: unknown, dtype: DType): Tensor {
  if (typeof value !== "number") throw new DtypeError(`${op}: expected a tensor or a number for ${name}; got ${showValue(value)}`);
  if (!holds(dtype, value)) {
    throw new DtypeError(
      `${op}: expected for ${name} a number that ${dtype} holds, the dtype of the other operand; got ${value}; convert the tensor with .to("float32")`,
    );
  }
  const t = allocated("number", dtype, []);
  write(t.ptr, dtype, value);
  return t;
}

/** Calls `fn` with both operands as tensors: a number takes the other's dtype, `both` (float32) if both are numbers. */
export function withScalars(op: string, a: Operand, b: Operand, fn: (a: Tensor, b: Tensor) => Tensor, both: DType = "float32"): Tensor {
  if (a instanceof Tensor && b instanceof Tensor) return fn(a, b);
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : both;
  const p = a instanceof Tensor ? a : scalar(op, "a", a, dtype);
  let q: Tensor | undefined;
  try {
    q = b instanceof Tensor ? b : scalar(op, "b", b, dtype);
    return fn(p, q);
  } finally {
    // what the derivative needs of them stays pinned
    if (p !== a) p.dispose();
    if (q !== b) q?.dispose();
  }
}

type UnaryKernel = { [K in keyof Kernels]: Kernels[K] extends (y: number, x: number, n: number) => void ? K : never }[keyof Kernels];

/** The common part of y[i] = f(x[i]); `integer` is the kernel for int32, if there is one. */
export function unary(name: string, kernel: UnaryKernel, integer?: UnaryKernel) {
  const dtype = integer === undefined ? floatDtype : numberDtype;
  return {
    name,
    split: "elements",
    inputs: ["x"],
    batch: leading,
    shape: (x: { x: Spec }): Spec => ({ shape: x.x.shape, dtype: dtype(name, x) }),
    kernel: (k: Kernels, x: { x: Tensor }, y: Tensor): void =>
      (k[integer !== undefined && y.dtype === "int32" ? integer : kernel] as Kernels["exp"])(y.ptr, x.x.ptr, y.size),
  } as const;
}

/** The common part of a fused derivative dx[i] = f(dy[i], y[i]). */
export function unaryGrad(name: "sigmoidGrad" | "tanhGrad") {
  return {
    name,
    split: "elements",
    inputs: ["dy", "y"],
    batch: leading,
    shape(x: { dy: Spec; y: Spec }): Spec {
      if (!sameShape(x.dy.shape, x.y.shape)) {
        throw new ShapeError(`${name}: expected dy and y of one shape; got ${showShape(x.dy.shape)} and ${showShape(x.y.shape)}`);
      }
      return { shape: x.y.shape, dtype: floatDtype(name, x) };
    },
    kernel: (k: Kernels, x: { dy: Tensor; y: Tensor }, dx: Tensor): void => k[name](dx.ptr, x.dy.ptr, x.y.ptr, dx.size),
  } as const;
}

export type BinaryKernel = {
  [K in keyof Kernels]: Kernels[K] extends Kernels["add"] ? (Parameters<Kernels[K]>["length"] extends 12 ? K : never) : never;
}[keyof Kernels];

/** The common part of y[i] = f(a[i], b[i]) with broadcasting; `integer` is the kernel for int32, if there is one. */
export function binary(name: string, kernel: BinaryKernel, integer?: BinaryKernel) {
  const dtype = integer === undefined ? floatDtype : numberDtype;
  return {
    name,
    split: "elements",
    inputs: ["a", "b"],
    batch: broadcasting,
    shape: (x: { a: Spec; b: Spec }): Spec => ({ shape: broadcastShapes(name, x.a.shape, x.b.shape), dtype: dtype(name, x) }),
    strided: true,
    kernel: (k: Kernels, x: { a: Tensor; b: Tensor }, y: Tensor): void => zip(k[integer !== undefined && y.dtype === "int32" ? integer : kernel], x.a, x.b, y),
  } as const;
}

type WholeKernel = "fmodInt32" | "remainderInt32" | "powInt32";

/** The common part of y[i] = f(a[i], b[i]) with broadcasting where int32 has no answer for some b, which `expected` tells. */
export function binaryWhole(name: string, kernel: BinaryKernel, integer: WholeKernel, expected: string) {
  return {
    ...binary(name, kernel),
    shape: (x: { a: Spec; b: Spec }): Spec => ({ shape: broadcastShapes(name, x.a.shape, x.b.shape), dtype: numberDtype(name, x) }),
    kernel(k: Kernels, { a, b }: { a: Tensor; b: Tensor }, y: Tensor): void {
      if (y.dtype !== "int32") zip(k[kernel], a, b, y);
      else if (!zipWhole(k[integer], a, b, y)) throw new NumericError(`${name}: expected ${expected}`);
    },
  } as const;
}

/** As zip, for a kernel that answers 1 where an operand has no answer; whether there was none. */
export function zipWhole(kernel: Kernels[WholeKernel], a: Tensor, b: Tensor, y: Tensor): boolean {
  let bad = 0;
  zip(
    (...args) => {
      bad |= kernel(...args);
    },
    a,
    b,
    y,
  );
  return bad === 0;
}

/** Calls a broadcasting kernel on operands of one dtype: axes that lie in one row in every operand are merged, three go to a call. */
export function zip(kernel: Kernels["add"], a: Tensor, b: Tensor, y: Tensor): void {
  const n = y.size;
  if (n === 0) return;
  if (a.contiguous && b.contiguous) {
    const whole = a.size === n && b.size === n;
    if (whole || a.size === 1 || b.size === 1) {
      kernel(y.ptr, a.ptr, b.ptr, 1, 1, n, 0, 0, whole || a.size !== 1 ? 1 : 0, 0, 0, whole || b.size !== 1 ? 1 : 0);
      return;
    }
  }
  const sizes: number[] = [];
  const p: number[] = [];
  const q: number[] = [];
  for (let axis = 0; axis < y.ndim; axis++) {
    const size = y.shape[axis];
    if (size === 1) continue;
    const s = strideAt(a, axis - y.ndim);
    const t = strideAt(b, axis - y.ndim);
    const last = sizes.length - 1;
    if (last >= 0 && p[last] === s * size && q[last] === t * size) {
      sizes[last] *= size;
      p[last] = s;
      q[last] = t;
    } else {
      sizes.push(size);
      p.push(s);
      q.push(t);
    }
  }
  while (sizes.length < 3) {
    sizes.unshift(1);
    p.unshift(0);
    q.unshift(0);
  }
  const inner = sizes.length - 3;
  const block = sizes[inner] * sizes[inner + 1] * sizes[inner + 2];
  const bytes = itemBytes(a.dtype);
  const outBytes = itemBytes(y.dtype);
  const index = new Array<number>(inner).fill(0);
  let fromA = a.ptr;
  let fromB = b.ptr;
  for (let done = 0; done < n; done += block) {
    kernel(
      y.ptr + done * outBytes,
      fromA,
      fromB,
      sizes[inner],
      sizes[inner + 1],
      sizes[inner + 2],
      p[inner],
      p[inner + 1],
      p[inner + 2],
      q[inner],
      q[inner + 1],
      q[inner + 2],
    );
    for (let axis = inner - 1; axis >= 0; axis--) {
      fromA += p[axis] * bytes;
      fromB += q[axis] * bytes;
      if (++index[axis] < sizes[axis]) break;
      fromA -= p[axis] * sizes[axis] * bytes;
      fromB -= q[axis] * sizes[axis] * bytes;
      index[axis] = 0;
    }
  }
}

/** Stride at an axis counted from the end, 0 where the tensor is broadcast. */
export function strideAt(t: Tensor, axisFromEnd: number): number {
  const axis = t.ndim + axisFromEnd;
  return axis < 0 || t.shape[axis] === 1 ? 0 : t.strides[axis];
}
