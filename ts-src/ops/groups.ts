// Groups of equal elements, numbered from 0: int32 numbers as unique() and embedding() count them.
import { type DType, isFloat } from "../../bindings/dtype.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import type { Tensor } from "../../bindings/tensor.js";
import { merged, parted } from "./batching.js";
import { add } from "./binary.js";
import { arange } from "./create.js";
import { reshape } from "./shape.js";

/** The kernel for a dtype: floats, int32, or bytes. */
export function ofDtype<F>(dtype: DType, real: F, int32: F, uint8: F): F {
  return isFloat(dtype) ? real : dtype === "int32" ? int32 : uint8;
}

/** Number of the group of each element of x [n], in sorted order; `order` is that of argsort. Every NaN is a group of its own. */
export function groupNumbers(x: Tensor, order: Tensor): Tensor {
  return apply(groupNumbersOp, { x, order });
}
const groupNumbersOp = op({
  name: "groupNumbers",
  inputs: ["x", "order"],
  shape: (s: { x: Spec; order: Spec }) => ({ shape: s.x.shape, dtype: "int32" as const }),
  kernel(k, { x, order }, y) {
    ofDtype(x.dtype, k.groupNumbers, k.groupNumbersInt32, k.groupNumbersUint8)(y.ptr, x.ptr, order.ptr, x.size);
  },
  saves: [],
  vjp: "none",
  samples: [],
});

/** First position of each of `count` groups, from the groups' numbers [n]. */
export function groupFirsts(group: Tensor, count: number): Tensor {
  return apply(groupFirstsOp, { x: group }, { count });
}
const groupFirstsOp = op({
  name: "groupFirsts",
  inputs: ["x"],
  shape: (_s: { x: Spec }, params: { count: number }) => ({ shape: [params.count], dtype: "int32" as const }),
  kernel: (k, { x }, y, { count }) => k.groupFirsts(y.ptr, x.ptr, x.size, count),
  saves: [],
  vjp: "none",
  samples: [],
});

/** How many elements each of `count` groups has, from the groups' numbers [n]. */
export function groupSizes(group: Tensor, count: number): Tensor {
  return apply(groupSizesOp, { x: group }, { count });
}
const groupSizesOp = op({
  name: "groupSizes",
  inputs: ["x"],
  batch: ({ inputs, params: { count }, size, again }) => {
    // example i counts in groups i count ... (i + 1) count - 1
    const first = reshape(arange(0, size * count, count, { dtype: "int32" }), [size, 1]);
    const sizes = again({ x: merged(add(inputs.x, first)) }, { count: size * count });
    return parted(sizes, size);
  },
  shape: (_s: { x: Spec }, params: { count: number }) => ({ shape: [params.count], dtype: "int32" as const }),
  kernel: (k, { x }, y, { count }) => k.groupSizes(y.ptr, x.ptr, x.size, count),
  saves: [],
  vjp: "none",
  samples: [],
});
