// The numbers of examples, as tensors and out of them.
import { beforeJob } from "../../bindings/background.js";
import { ShapeError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { showShape } from "../../bindings/shape.js";
import { Tensor } from "../../bindings/tensor.js";
import { zeros } from "../ops/create.js";

/** Numbers as a tensor int32 [n], which whoever takes the examples disposes; a helper thread may read it. */
export function numberTensor(numbers: Int32Array): Tensor {
  return beforeJob(() => {
    const index = keep(zeros([numbers.length], { dtype: "int32" }));
    view(index.ptr, numbers.length, "int32").set(numbers);
    return index;
  });
}

/** The numbers of an index; throws ShapeError unless it is int32 [n] with numbers from 0 to length - 1. */
export function numbersOf(what: string, index: Tensor, length: number): Int32Array {
  if (!(index instanceof Tensor) || index.dtype !== "int32" || index.ndim !== 1) {
    const got = index instanceof Tensor ? `${index.dtype} ${showShape(index.shape)}` : typeof index;
    throw new ShapeError(`${what}: expected the numbers of examples, int32 [n]; got ${got}`);
  }
  const numbers = index.data() as Int32Array;
  for (const i of numbers) if (i < 0 || i >= length) throw new ShapeError(`${what}: expected numbers from 0 to ${length - 1}; got ${i}`);
  return numbers;
}

/** 0, 1, ... n - 1. */
export function counted(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}
