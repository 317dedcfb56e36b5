// Copies, other dtypes, and handles without history.
import { checkedDtype, type DType, isFloat, itemBytes } from "../../bindings/dtype.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { adopt, BatchedStorage } from "../../bindings/lifetime.js";
import { scratch } from "../../bindings/memory.js";
import { apply, copyInto, op, type Spec } from "../../bindings/op.js";
import { Tensor } from "../../bindings/tensor.js";
import { leading } from "./batching.js";
import { checkedTensor } from "./operands.js";
import { anyShape } from "./samples.js";

/** A contiguous copy, through which gradients flow. */
export function clone(x: Tensor): Tensor {
  return apply(cloneOp, { x });
}
const cloneOp = op({
  name: "clone",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }) => x.x,
  strided: true,
  kernel: (_, { x }, y) => copyInto(y, x),
  saves: [],
  vjp: (dy) => ({ x: () => dy }),
  samples: [{ inputs: { x: { shape: [2, 3] } } }, { inputs: { x: { shape: [0] } } }, anyShape()],
});

/**
 * The elements in another dtype; x itself if it has that dtype. Towards zero for int32 (beyond its range the nearest
 * end, NaN gives 0), modulo 256 for uint8, x != 0 for bool. Throws DtypeError for an unknown dtype.
 */
export function to(x: Tensor, dtype: DType): Tensor {
  checkedTensor("to", "x", x);
  checkedDtype("to", dtype);
  x.alive("to");
  if (x.dtype === dtype) return x;
  return isFloat(x.dtype) && isFloat(dtype) ? apply(toFloatOp, { x }, { dtype }) : apply(toOp, { x }, { dtype });
}
/** The elements in the other float dtype. */
const toFloatOp = op({
  name: "toFloat",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }, params: { dtype: DType }) => ({ shape: x.x.shape, dtype: params.dtype }),
  kernel: (_, { x }, y) => convert(y.ptr, y.dtype, x.ptr, x.dtype, x.size),
  saves: [],
  vjp: (dy) => ({ x: () => to(dy, dy.dtype === "float32" ? "float64" : "float32") }),
  samples: [],
});
const toOp = op({
  name: "to",
  inputs: ["x"],
  batch: leading,
  shape: (x: { x: Spec }, params: { dtype: DType }) => ({ shape: x.x.shape, dtype: params.dtype }),
  kernel: (_, { x }, y) => convert(y.ptr, y.dtype, x.ptr, x.dtype, x.size),
  saves: [],
  vjp: "none",
  samples: [],
});

function convert(y: number, dtype: DType, x: number, from: DType, n: number): void {
  if (isFloat(dtype)) {
    const k = kernelsOf(dtype);
    if (from === "float32") k.fromFloat32(y, x, n);
    else if (from === "float64") k.fromFloat64(y, x, n);
    else if (from === "int32") k.fromInt32(y, x, n);
    else k.fromUint8(y, x, n);
  } else if (isFloat(from)) {
    const k = kernelsOf(from);
    if (dtype === "int32") k.toInt32(y, x, n);
    else if (dtype === "uint8") k.toUint8(y, x, n);
    else k.toBool(y, x, n);
  } else {
    // float64 holds every integer dtype exactly
    const middle = scratch(n * itemBytes("float64"));
    convert(middle, "float64", x, from, n);
    convert(y, dtype, middle, "float64", n);
  }
}

/** The same elements in the same memory, without history: gradients stop here. */
export function detach(x: Tensor): Tensor {
  checkedTensor("detach", "x", x);
  x.alive("detach");
  const { storage } = x;
  if (storage instanceof BatchedStorage) {
    const { mapper, all } = storage;
    return mapper.standing(
      storage,
      x.origin,
      mapper.below(() => detach(all)),
    );
  }
  return withoutHistory(x);
}

/** As detach, but within vmap only for derivatives that are taken within: the graph of the whole batch goes on. */
export function withoutHistory(x: Tensor): Tensor {
  const y = new Tensor(x.storage, x.origin, x.dtype, x.shape, x.strides, x.offset);
  adopt(y, x.epoch);
  return y;
}
