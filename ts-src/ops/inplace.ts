// Changes in place. They count up the version of the memory, so that a derivative that needs the old elements fails
// with a VersionError instead of using the new ones.
import { DtypeError, GradientError, ShapeError } from "../../bindings/errors.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { copyInto } from "../../bindings/op.js";
import { broadcastShapes, sameShape, showShape } from "../../bindings/shape.js";
import { isRecording } from "../../bindings/tape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { fillWith } from "./create.js";
import { checkedTensor, floatDtype, numberDtype, type Operand, withScalars, zip } from "./operands.js";
import { broadcastTo } from "./shape.js";

function changeable(name: string, x: Tensor, others: readonly Operand[]): void {
  checkedTensor(name, "x", x);
  x.alive(name);
  for (const other of [x, ...others]) {
    if (typeof other !== "number" && other.requiresGrad && isRecording()) {
      throw new GradientError(`${name}: expected tensors without gradient; got ${other.describe()} that requires one; wrap the call in noGrad(() => ...)`);
    }
  }
  if (!x.contiguous) throw new ShapeError(`${name}: expected a contiguous tensor; got a view ${x.describe()}; change a clone() or the original`);
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
    zip(kernelsOf(dtype)[dtype === "int32" ? integer : plain], p, q, p);
    return p;
  });
  x.storage.version++;
  return x;
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

/** Every element set to `value`; answers x. */
export function fill_(x: Tensor, value: number): Tensor {
  changeable("fill_", x, []);
  if (typeof value !== "number") throw new DtypeError(`fill_: expected a number; got ${String(value)}`);
  fillWith(x, value);
  x.storage.version++;
  return x;
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
  if (sameShape(x.shape, b.shape)) copyInto(x, b);
  else {
    const wide = broadcastTo(b, x.shape);
    copyInto(x, wide);
    wide.dispose();
  }
  x.storage.version++;
  return x;
}
