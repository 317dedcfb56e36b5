// How a reduction of any axes of any layout becomes calls of a kernel: y[o, i] reduces x[o, j1, j, i].
import { itemBytes } from "../../bindings/dtype.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { scratch } from "../../bindings/memory.js";
import { allocated, copyInto } from "../../bindings/op.js";
import { sizeOf } from "../../bindings/shape.js";
import { dividedRange, range } from "../../bindings/split.js";
import { Tensor } from "../../bindings/tensor.js";

/** What the kernels of assembly/reduce use at most: 16 accumulators of 4160 bytes, three rows of totals of 8 KiB. */
const SCRATCH_BYTES = 16 * 4160 + 3 * 8192;

/** A call of a kernel; sizes and strides are those of reduce() in assembly/reduce/engine.ts. */
export type ReduceCall = (
  y: number,
  x: number,
  scratch: number,
  outer: number,
  n1: number,
  n: number,
  inner: number,
  s0: number,
  t1: number,
  t: number,
  s1: number,
) => void;

/** Axes as one: of `size` elements, `stride` apart. */
interface Axis {
  size: number;
  stride: number;
}

/**
 * Calls `kernel` until y is reduced. Neighbouring axes that are reduced count as one, by the shape alone: two such groups
 * at most go to the kernel as runs; a layout that does not allow that, or more groups, costs a copy.
 */
export function reduceInto(kernel: ReduceCall, y: Tensor, x: Tensor, axes: readonly number[]): void {
  if (y.size === 0) return;
  const work = scratch(SCRATCH_BYTES);
  if (x.size === 0) {
    kernel(y.ptr, x.ptr, work, 1, 1, 0, y.size, 0, 0, 0, 0);
    return;
  }
  const kept: Axis[] = [];
  const reduced: Axis[] = [];
  let groups = 0;
  let before: boolean | undefined;
  let fits = true;
  for (let axis = 0; axis < x.ndim; axis++) {
    const size = x.shape[axis];
    if (size === 1) continue;
    const stride = x.strides[axis];
    const isReduced = axes.includes(axis);
    const list = isReduced ? reduced : kept;
    const last = list[list.length - 1];
    const row = last !== undefined && last.stride === stride * size;
    if (isReduced && before !== true) groups++;
    if (row && (!isReduced || before === true)) {
      last.size *= size;
      last.stride = stride;
    } else {
      if (isReduced && before === true) fits = false;
      list.push({ size, stride });
    }
    before = isReduced;
  }
  if (groups > 2) {
    const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const order = [...rest, ...axes];
    const view = new Tensor(
      x.storage,
      "permute",
      x.dtype,
      order.map((axis) => x.shape[axis]),
      order.map((axis) => x.strides[axis]),
      x.offset,
    );
    try {
      throughCopy(
        kernel,
        y,
        view,
        order.map((_, i) => i).filter((i) => i >= rest.length),
      );
    } finally {
      view.dispose();
    }
  } else if (!fits) throughCopy(kernel, y, x, axes);
  else call(kernel, y, x, kept, reduced, work);
}

/** As CHUNK of assembly/reduce/layout.ts: elements that are added before their sum joins the others. */
const CHUNK = 1024;

/** Reduces all of a contiguous x to one number by its chunks, on all threads; false where that is not worth it. `divisor` of the sum. */
export function sharedSum(name: "sum" | "sumSquares", y: Tensor, x: Tensor, divisor: number): boolean {
  if (y.size !== 1 || !x.contiguous) return false;
  const chunks = Math.ceil(x.size / CHUNK);
  const totals = allocated("totals", "float64", [chunks]);
  const made: Tensor[] = [];
  try {
    const done = dividedRange({ flops: x.size, bytes: x.size * itemBytes(x.dtype) }, chunks, 1, true, (from, to) => {
      const [part, sums] = [range(x, from * CHUNK, Math.min(x.size, to * CHUNK)), range(totals, from, to)];
      made.push(part, sums);
      return { reads: [part], writes: [sums], run: () => kernelsOf(x.dtype)[`${name}Chunks`](sums.ptr, part.ptr, part.size) };
    });
    if (done) kernelsOf(x.dtype).joinSums(y.ptr, totals.ptr, chunks, divisor);
    return done;
  } finally {
    for (const t of [...made, totals]) t.dispose();
  }
}

function throughCopy(kernel: ReduceCall, y: Tensor, x: Tensor, axes: readonly number[]): void {
  const copy = allocated("copy", x.dtype, x.shape);
  try {
    copyInto(copy, x);
    reduceInto(kernel, y, copy, axes);
  } finally {
    copy.dispose();
  }
}

const ONE: Axis = { size: 1, stride: 0 };

function call(kernel: ReduceCall, y: Tensor, x: Tensor, kept: readonly Axis[], reduced: readonly Axis[], work: number): void {
  const run = reduced[reduced.length - 1] ?? { size: 1, stride: 1 };
  const runs = reduced.length > 1 ? reduced[0] : ONE;
  const inner = kept[kept.length - 1] ?? ONE;
  const outer = kept[kept.length - 2] ?? ONE;
  const rest = kept.slice(0, -2);
  const bytes = itemBytes(x.dtype);
  const block = outer.size * inner.size;
  const step = block * itemBytes(y.dtype);
  const calls = sizeOf(rest.map(({ size }) => size));
  const index = new Array<number>(rest.length).fill(0);
  let from = x.ptr;
  for (let i = 0; i < calls; i++) {
    kernel(y.ptr + i * step, from, work, outer.size, runs.size, run.size, inner.size, outer.stride, runs.stride, run.stride, inner.stride);
    for (let axis = rest.length - 1; axis >= 0; axis--) {
      from += rest[axis].stride * bytes;
      if (++index[axis] < rest[axis].size) break;
      from -= rest[axis].stride * rest[axis].size * bytes;
      index[axis] = 0;
    }
  }
}
