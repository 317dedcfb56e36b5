// How the work of an op is divided between threads: its output is cut along one axis, and with it the operands that have this axis.
// Every element is computed as in the whole, so neither the cuts nor their number change a bit.

import { dividesAlways, grainOf, type Work } from "./cost.js";
import { type DType, itemBytes } from "./dtype.js";
import { forked } from "./forked.js";
import { type Kernels, kernelsOf } from "./kernels.js";
import { currentHome, type HomeTask } from "./memory.js";
import type { AnyOp } from "./op.js";
import type { Shape } from "./shape.js";
import { readyTeam, threadsInUse } from "./team.js";
import { Tensor } from "./tensor.js";

/** The axis that is cut, of the output and of each operand that has it; the other operands are given whole. */
export interface Cut<I extends string = string> {
  readonly y: number;
  readonly operands: { readonly [name in I]?: number };
  /** Parts are whole multiples of it; 1 by default. */
  readonly step?: number;
  /** The parameters of a part, from its first place along the axis; by default those of the whole. */
  readonly params?: (from: number) => unknown;
}

const LINE_BYTES = 64;

/** Elements of a part are a multiple of this, so that no two threads write to one cache line; of any number in tests that divide always. */
export function lineStep(dtype: DType): number {
  return dividesAlways() ? 1 : LINE_BYTES / itemBytes(dtype);
}

/** Where `parts` parts of n begin, and n: whole multiples of `step`. */
function bounds(n: number, parts: number, step: number): number[] {
  const length = Math.ceil(n / parts / step) * step;
  return Array.from({ length: parts + 1 }, (_, i) => Math.min(n, i * length));
}

/** Elements from `from` to `to` along an axis; the caller disposes it. */
function part(t: Tensor, axis: number, from: number, to: number): Tensor {
  const shape = t.shape.map((size, i) => (i === axis ? to - from : size));
  return new Tensor(t.storage, t.origin, t.dtype, shape, t.strides, t.offset + from * t.strides[axis]);
}

/** The cut of an op of which each element is made from those at its place. */
function elementsCut(names: readonly string[], operands: { readonly [name: string]: Tensor }, y: Shape, parts: number): Cut | undefined {
  const axis = y.findIndex((size) => size !== 1);
  if (axis < 0 || y[axis] < parts) return undefined;
  const cut: { [name: string]: number } = {};
  for (const name of names) {
    const { shape } = operands[name];
    const own = axis - (y.length - shape.length);
    if (own >= 0 && shape[own] !== 1) cut[name] = own;
  }
  return { y: axis, operands: cut };
}

/** Elements below which no op is worth a thought: even a product of such matrices takes 5 us. */
const FEW = 6144;

/** What an op costs on one thread; undefined for a small one. */
function workOf(declaration: AnyOp, operands: { readonly [name: string]: Tensor }, y: Tensor): Work | undefined {
  let size = y.size;
  for (let i = 0; i < declaration.inputs.length; i++) size += operands[declaration.inputs[i]].size;
  if (size < FEW && !dividesAlways()) return undefined;
  let bytes = y.size * itemBytes(y.dtype);
  for (const name of declaration.inputs) bytes += operands[name].size * itemBytes(operands[name].dtype);
  return { flops: declaration.flops?.(operands, y) ?? y.size, bytes };
}

let dividing = false;

/** Calls `kernel` on operands and y, or on parts of them beside each other where that is worth it. */
export function dividedKernel(
  declaration: AnyOp,
  operands: { readonly [name: string]: Tensor },
  y: Tensor,
  params: unknown,
  kernel: (operands: { readonly [name: string]: Tensor }, y: Tensor, params: unknown) => void,
): void {
  const { split, inputs } = declaration;
  const parts = split === undefined ? 1 : partsOf(workOf(declaration, operands, y));
  if (parts === 1) {
    kernel(operands, y, params);
    return;
  }
  const made: Tensor[] = [];
  const own = (t: Tensor): Tensor => {
    made.push(t);
    return t;
  };
  try {
    let [xs, whole] = [operands, y];
    let step = 1;
    let cut: Cut | undefined;
    if (split === "elements") {
      if (inputs.every((name) => operands[name].contiguous && (operands[name].size === y.size || operands[name].size === 1))) {
        xs = Object.fromEntries(inputs.map((name) => [name, operands[name].size === 1 ? operands[name] : own(range(operands[name], 0, operands[name].size))]));
        whole = own(range(y, 0, y.size));
        step = lineStep(y.dtype);
      }
      cut = elementsCut(inputs, xs, whole.shape, parts);
    } else cut = split?.(xs, whole, params, parts);
    if (cut === undefined || whole.shape[cut.y] < parts) {
      kernel(operands, y, params);
      return;
    }
    const { y: axis, operands: axes } = cut as { y: number; operands: { readonly [name: string]: number } };
    const starts = bounds(whole.shape[axis], parts, cut.step ?? step);
    if (starts[1] === whole.shape[axis]) {
      kernel(operands, y, params);
      return;
    }
    const pieces = starts.slice(1).flatMap((to, i): HomeTask[] => {
      const from = starts[i];
      const ys = own(part(whole, axis, from, to));
      const parted = Object.fromEntries(inputs.map((name) => [name, name in axes ? own(part(xs[name], axes[name], from, to)) : xs[name]]));
      const given = cut.params === undefined ? params : cut.params(from);
      return [{ reads: Object.values(parted), writes: [ys], run: () => (ys.size > 0 ? kernel(parted, ys, given) : undefined) }];
    });
    if (!divided(pieces, !inputs.some((name) => operands[name].storage === y.storage))) kernel(operands, y, params);
  } finally {
    for (const t of made) t.dispose();
  }
}

/** Whether tasks were run, or noted, beside each other; within one nothing is divided again. `again`: they may be begun anew by one thread. */
function divided(pieces: readonly HomeTask[], again: boolean): boolean {
  const home = currentHome();
  dividing = true;
  try {
    if (home.divide !== undefined) {
      home.divide(pieces);
      return true;
    }
    const team = readyTeam();
    return team !== undefined && team.threads === pieces.length && forked(team, pieces, again);
  } finally {
    dividing = false;
  }
}

/** Work on one thread is this much more, in parts, where it is not in a program: noting and writing its calls takes 5 to 10 us. */
const EAGER = 4;

/** Into how many parts work is divided; 1 where that does not pay. */
function partsOf(work: Work | undefined): number {
  const parts = dividing || work === undefined ? 1 : threadsInUse();
  if (work === undefined || parts === 1) return 1;
  return grainOf(work) < parts * (currentHome().divide === undefined ? EAGER : 1) ? 1 : parts;
}

/**
 * Runs n units of work, of which `step` neighbours stay together, as tasks from one to another beside each other; false where that is
 * not worth it, and nothing was done. `again`: they may be begun anew by one thread.
 */
export function dividedRange(work: Work, n: number, step: number, again: boolean, task: (from: number, to: number) => HomeTask): boolean {
  const parts = partsOf(work);
  if (parts === 1 || n < parts) return false;
  const starts = bounds(n, parts, step);
  if (starts[1] === n) return false;
  return divided(
    starts.slice(1).map((to, i) => {
      const made = task(starts[i], to);
      return to > starts[i] ? made : { ...made, run: () => undefined };
    }),
    again,
  );
}

/** Elements from `from` to `to` of a contiguous tensor, as one axis; the caller disposes it. */
export function range(t: Tensor, from: number, to: number): Tensor {
  return new Tensor(t.storage, t.origin, t.dtype, [to - from], [1], t.offset + from);
}

/**
 * Calls `kernel`, with the kernels of the dtype of the first, on n elements of contiguous tensors of one size, or on parts of them
 * beside each other where that is worth it; `shared` are read by all. `flops` are those of an element.
 */
export function dividedElements(
  tensors: { readonly reads: readonly Tensor[]; readonly writes: readonly Tensor[]; readonly shared: readonly Tensor[] },
  flops: number,
  kernel: (k: Kernels, addresses: readonly number[], n: number) => void,
): void {
  const { reads, writes, shared } = tensors;
  const all = [...writes, ...reads];
  const { size: n, dtype } = all[0];
  const call = (ts: readonly Tensor[], length: number): void =>
    kernel(
      kernelsOf(dtype),
      ts.map((t) => t.ptr),
      length,
    );
  const bytes = all.reduce((sum, t) => sum + t.size * itemBytes(t.dtype), 0);
  const made: Tensor[] = [];
  try {
    const done = dividedRange({ flops: n * flops, bytes }, n, lineStep(dtype), false, (from, to) => {
      const parted = all.map((t) => range(t, from, to));
      made.push(...parted);
      return { reads: [...parted.slice(writes.length), ...shared], writes: parted.slice(0, writes.length), run: () => call(parted, to - from) };
    });
    if (!done) call(all, n);
  } finally {
    for (const t of made) t.dispose();
  }
}
