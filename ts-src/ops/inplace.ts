// Changes in place. They count up the version of the memory, so that a derivative that needs the old elements fails
// with a VersionError instead of using the new ones.

import { DtypeError, GradientError, ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { allocated, copyInto } from "../../bindings/op.js";
import { broadcastShapes, sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { isRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { type Bound, bounds } from "./bounds.js";
import { fillWith } from "./create.js";
import { checkedTensor, floatDtype, numberDtype, type Operand, withScalars, zip } from "./operands.js";
import { broadcastTo } from "./shape.js";

function changeable(name: string, x: Tensor, others: readonly Operand[]): void {
  checkedTensor(name, "x", x);
  x.alive(name);
  for (const other of [x, ...others]) {
    if (other instanceof Tensor && other.requiresGrad && isRecording()) {
      throw new GradientError(`${name}: expected tensors without gradient; got ${other.describe()} that requires one; wrap the call in noGrad(() => ...)`);
    }
  }
  if (!x.contiguous) throw new ShapeError(`${name}: expected a contiguous tensor; got a view ${x.describe()}; change a clone() or the original`);
}

/** Runs `fn`, which changes the elements of x; answers x. */
function changed(x: Tensor, fn: () => void): Tensor {
  x.storage.own();
  fn();
  x.storage.version++;
  return x;
}

function arithmetic(name: "add_" | "sub_" | "mul_" | "div_", x: Tensor, b: Operand): Tensor {
  changeable(name, x, [b]);
  withScalars(name, x, b, (p, q) => {
    q.alive(name);
    const dtype = name === "div_" ? floatDtype(name, { x: p, b: q }) : numberDtype(name, { x: p, b: q });
    if (!sameShape(broadcastShapes(name, p.shape, q.shape), p.shape)) {
      throw new ShapeError(`${name}: expected b that broadcasts to ${showShape(p.shape)}; got ${showShape(q.shape)}`);
    }
    const plain = name.slice(0, -1) as "add";
    const integer = `${plain}Int32` as const;
    changed(p, () => apart(p, q, (other) => zip(kernelsOf(dtype)[dtype === "int32" ? integer : plain], p, other, p)));
    return p;
  });
  return x;
}

/** Calls `fn` with b, or with a copy of it where it reads elements of x in another order than they are written. */
function apart(x: Tensor, b: Tensor, fn: (b: Tensor) => void): void {
  if (b.storage !== x.storage || (b.ptr === x.ptr && b.contiguous && b.size === x.size)) {
    fn(b);
    return;
  }
  const copy = allocated("copy", b.dtype, b.shape);
  copyInto(copy, b);
  try {
    fn(copy);
  } finally {
    copy.dispose();
  }
}

/** x = x + b, in place; answers x. */
export function add_(x: Tensor, b: Operand): Tensor {
  return arithmetic("add_", x, b);
}
/** x = x - b, in place; answers x. */
export function sub_(x: Tensor, b: Operand): Tensor {
  return arithmetic("sub_", x, b);
}
/** x = x b, in place; answers x. */
export function mul_(x: Tensor, b: Operand): Tensor {
  return arithmetic("mul_", x, b);
}
/** x = x / b, in place; answers x. */
export function div_(x: Tensor, b: Operand): Tensor {
  return arithmetic("div_", x, b);
}

type Pointwise = "relu" | "neg" | "abs" | "sqrt" | "square" | "reciprocal" | "exp" | "sigmoid" | "tanh";

function pointwise(name: `${Pointwise}_`, x: Tensor): Tensor {
  changeable(name, x, []);
  const kernel = kernelsOf(floatDtype(name, { x }))[name.slice(0, -1) as Pointwise];
  return changed(x, () => kernel(x.ptr, x.ptr, x.size));
}

/** x = max(x, 0), in place; answers x. */
export function relu_(x: Tensor): Tensor {
  return pointwise("relu_", x);
}
/** x = -x, in place; answers x. */
export function neg_(x: Tensor): Tensor {
  return pointwise("neg_", x);
}
/** x = |x|, in place; answers x. */
export function abs_(x: Tensor): Tensor {
  return pointwise("abs_", x);
}
/** x = sqrt(x), in place; answers x. */
export function sqrt_(x: Tensor): Tensor {
  return pointwise("sqrt_", x);
}
/** x = x^2, in place; answers x. */
export function square_(x: Tensor): Tensor {
  return pointwise("square_", x);
}
/** x = 1 / x, in place; answers x. */
export function reciprocal_(x: Tensor): Tensor {
  return pointwise("reciprocal_", x);
}
/** x = e^x, in place; answers x. */
export function exp_(x: Tensor): Tensor {
  return pointwise("exp_", x);
}
/** x = 1 / (1 + e^-x), in place; answers x. */
export function sigmoid_(x: Tensor): Tensor {
  return pointwise("sigmoid_", x);
}
/** x = tanh(x), in place; answers x. */
export function tanh_(x: Tensor): Tensor {
  return pointwise("tanh_", x);
}

/** x moved into [lo, hi], in place; answers x. A bound that is null is open. */
export function clamp_(x: Tensor, lo: Bound, hi: Bound = null): Tensor {
  changeable("clamp_", x, []);
  const dtype = numberDtype("clamp_", { x });
  const { low, high } = bounds("clamp_", x, lo, hi);
  return changed(x, () => kernelsOf(dtype)[dtype === "int32" ? "clampInt32" : "clamp"](x.ptr, x.ptr, low, high, x.size));
}

/** Every element set to `value`; answers x. */
export function fill_(x: Tensor, value: number): Tensor {
  changeable("fill_", x, []);
  if (typeof value !== "number") throw new DtypeError(`fill_: expected a number; got ${showValue(value)}`);
  return changed(x, () => fillWith(x, value));
}
/** Every element set to 0; answers x. */
export function zero_(x: Tensor): Tensor {
  return fill_(x, 0);
}

/** The elements of b, broadcast, copied into x; answers x. Throws DtypeError unless both have one dtype. */
export function copy_(x: Tensor, b: Tensor): Tensor {
  checkedTensor("copy_", "b", b);
  changeable("copy_", x, [b]);
  b.alive("copy_");
  if (b.dtype !== x.dtype) throw new DtypeError(`copy_: expected dtype ${x.dtype}; got ${b.dtype}; convert it with .to("${x.dtype}")`);
  const wide = broadcastTo(b, x.shape);
  try {
    return changed(x, () => apart(x, wide, (other) => copyInto(x, other)));
  } finally {
    wide.dispose();
  }
}
