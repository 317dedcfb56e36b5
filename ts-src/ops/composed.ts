// Two ops in one pass, which a compiled graph uses where one only feeds the other. Each gives the bits of the two. They are made
// after derivatives were taken, so they have none of their own and stand in no table of ops.
import type { AnyOp, Spec } from "../../bindings/op.js";
import { sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { affine, affineCut, type Epilogue, product, productCut } from "./gemm.js";
import { joined } from "./joined.js";

/** f(linear(x, w, b)). */
export function linearThen(epilogue: Epilogue): AnyOp {
  return {
    name: `linear+${epilogue}`,
    inputs: ["x", "w", "b"],
    shape: ({ x, w }: Record<string, Spec>) => ({ shape: [...x.shape.slice(0, -1), w.shape[0]], dtype: x.dtype }),
    flops: ({ w }: Record<string, Spec>, y) => sizeOf(y.shape) * (2 * w.shape[1] + 2),
    split: ({ x, w }, y, params, parts) => affineCut({ x, w }, y, params, parts),
    kernel: (k, { x, w, b }, y) => affine(k, x, w, b, y, epilogue),
    ...joined,
  };
}

/** f(a b) of two matrices. */
export function matmulThen(epilogue: Epilogue): AnyOp {
  return {
    ...matrices(epilogue),
    inputs: ["a", "b"],
    split: ({ a, b }, y, _, parts) => productCut({ a, b }, y, parts),
    kernel: (k, { a, b }, y) => product(k, a, b, undefined, y, epilogue),
  };
}

/** f(a b, y), f the derivative of an activation whose output is y. */
export function matmulThenGrad(epilogue: Epilogue): AnyOp {
  return {
    ...matrices(epilogue),
    inputs: ["a", "b", "y"],
    split: ({ a, b, y }, dx, _, parts) => (y.contiguous ? productCut({ a, b }, dx, parts, ["y"]) : undefined),
    kernel: (k, { a, b, y }, dx) => product(k, a, b, y, dx, epilogue),
  };
}

function matrices(epilogue: Epilogue) {
  return {
    name: `matmul+${epilogue}`,
    shape: ({ a, b }: Record<string, Spec>): Spec => ({ shape: [a.shape[0], b.shape[1]], dtype: a.dtype }),
    flops: ({ a }: Record<string, Spec>, y: Spec) => sizeOf(y.shape) * (2 * a.shape[1] + 1),
    strided: true,
    ...joined,
  } as const;
}

const triples = ["mulAdd", "mulSub", "mulMul", "addMul", "subMul", "addAdd"] as const;
const pairs = ["addRelu", "subSquare"] as const;

/** y = (a first b) second c, for contiguous a of the shape of y, and b and c like it or one number; undefined if there is no such kernel. */
export function twoOperations(first: string, second: string): AnyOp | undefined {
  const name = triples.find((other) => other === nameOf(first, second));
  if (name === undefined) return undefined;
  const step = (t: Tensor): number => (t.size === 1 ? 0 : 1);
  return { ...elementwise(name), inputs: ["a", "b", "c"], kernel: (k, { a, b, c }, y) => k[name](y.ptr, a.ptr, b.ptr, c.ptr, y.size, step(b), step(c)) };
}

/** y = f(a first b) for contiguous operands of one shape; undefined if there is no such kernel. */
export function operationThen(first: string, f: string): AnyOp | undefined {
  const name = pairs.find((other) => other === nameOf(first, f));
  return name === undefined ? undefined : { ...elementwise(name), inputs: ["a", "b"], kernel: (k, { a, b }, y) => k[name](y.ptr, a.ptr, b.ptr, y.size) };
}

function nameOf(first: string, second: string): string {
  return `${first}${second[0].toUpperCase()}${second.slice(1)}`;
}

function elementwise(name: string) {
  return {
    name,
    split: "elements",
    shape: ({ a }: Record<string, Spec>): Spec => a,
    flops: (_: Record<string, Spec>, y: Spec) => 2 * sizeOf(y.shape),
    ...joined,
  } as const;
}
