// Comparisons: 1 where they hold, dtype bool. NaN equals nothing, itself included, and is neither less nor greater.
import { type DType, isFloat } from "../../bindings/dtype.js";
import type { Kernels } from "../../bindings/kernels.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { broadcastShapes } from "../../bindings/shape.js";
import { withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { broadcasting, leading } from "./batching.js";
import { to } from "./convert.js";
import { checkedTensor, holds, type Operand, withScalars, zip } from "./operands.js";

/** a = b, element by element, with broadcasting, on any dtypes; a number may stand for either. */
export function eq(a: Operand, b: Operand): Tensor {
  return alike("eq", a, b, (p, q) => apply(eqOp, { a: p, b: q }));
}
const eqOp = op(comparison("eq", "eq", "eqInt32"));

/** a ≠ b, element by element, with broadcasting, on any dtypes; a number may stand for either. */
export function ne(a: Operand, b: Operand): Tensor {
  return alike("ne", a, b, (p, q) => apply(neOp, { a: p, b: q }));
}
const neOp = op(comparison("ne", "ne", "neInt32"));

/** a < b, element by element, with broadcasting, on any dtypes; a number may stand for either. */
export function lt(a: Operand, b: Operand): Tensor {
  return alike("lt", a, b, (p, q) => apply(ltOp, { a: p, b: q }));
}
const ltOp = op(comparison("lt", "lt", "ltInt32"));

/** a <= b, element by element, with broadcasting, on any dtypes; a number may stand for either. */
export function le(a: Operand, b: Operand): Tensor {
  return alike("le", a, b, (p, q) => apply(leOp, { a: p, b: q }));
}
const leOp = op(comparison("le", "le", "leInt32"));

/** a > b, element by element, with broadcasting, on any dtypes; a number may stand for either. */
export function gt(a: Operand, b: Operand): Tensor {
  return alike("gt", a, b, (p, q) => apply(gtOp, { a: p, b: q }));
}
const gtOp = op(comparison("gt", "lt", "ltInt32", true));

/** a >= b, element by element, with broadcasting, on any dtypes; a number may stand for either. */
export function ge(a: Operand, b: Operand): Tensor {
  return alike("ge", a, b, (p, q) => apply(geOp, { a: p, b: q }));
}
const geOp = op(comparison("ge", "le", "leInt32", true));

/** Whether each element is NaN, dtype bool; false throughout for integers. */
export function isnan(x: Tensor): Tensor {
  checkedTensor("isnan", "x", x);
  x.alive("isnan");
  return ne(x, x);
}

/** Whether each element is neither NaN nor infinite, dtype bool; true throughout for integers. */
export function isfinite(x: Tensor): Tensor {
  checkedTensor("isfinite", "x", x);
  return isFloat(x.dtype) ? apply(isfiniteOp, { x }) : eq(x, x);
}
const isfiniteOp = op({
  name: "isfinite",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }) => ({ shape: x.x.shape, dtype: "bool" as const }),
  kernel: (k, { x }, y) => k.isfinite(y.ptr, x.ptr, y.size),
  saves: [],
  vjp: "none",
  samples: [],
});

type Comparison = "eq" | "ne" | "lt" | "le";

/** The declaration of a comparison of two operands of one dtype; `swapped`: the kernel gets b and a. */
function comparison(name: string, kernel: Comparison, integer: `${Comparison}Int32`, swapped = false) {
  return {
    name,
    inputs: ["a", "b"] as const,
    batch: broadcasting,
    shape: (x: { a: Spec; b: Spec }): Spec => ({ shape: broadcastShapes(name, x.a.shape, x.b.shape), dtype: "bool" }),
    strided: true,
    kernel(k: Kernels, { a, b }: { a: Tensor; b: Tensor }, y: Tensor): void {
      zip(k[a.dtype === "int32" ? integer : kernel], swapped ? b : a, swapped ? a : b, y);
    },
    saves: [] as const,
    vjp: "none" as const,
    samples: [],
  };
}

/** The dtype in which both are compared without loss; undefined if theirs will do. */
function common(a: Operand, b: Operand): DType | undefined {
  const own = (x: Operand, other: Operand): DType => {
    if (x instanceof Tensor) return x.dtype;
    // a float tensor gives a number its dtype; an integer it cannot hold is compared as a float64
    return other instanceof Tensor && (isFloat(other.dtype) || holds(other.dtype, x)) ? other.dtype : "float64";
  };
  const p = own(a, b);
  const q = own(b, a);
  if (p === q && (isFloat(p) || p === "int32")) return undefined;
  return "float64";
}

/** Calls `fn` with both operands as tensors of one dtype that the kernels compare. */
function alike(name: string, a: Operand, b: Operand, fn: (a: Tensor, b: Tensor) => Tensor): Tensor {
  if (a instanceof Tensor) a.alive(`${name}: a`);
  if (b instanceof Tensor) b.alive(`${name}: b`);
  const dtype = common(a, b);
  if (dtype === undefined) return withScalars(name, a, b, fn, "float64");
  return withRecording(false, () => {
    const made: Tensor[] = [];
    const converted = (x: Operand): Operand => {
      if (!(x instanceof Tensor) || x.dtype === dtype) return x;
      const y = to(x, dtype);
      made.push(y);
      return y;
    };
    try {
      return withScalars(name, converted(a), converted(b), fn);
    } finally {
      for (const t of made) t.dispose();
    }
  });
}
