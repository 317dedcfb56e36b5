// Walks over the positions of a shape that several strided operands share, three axes a kernel call.
import type { Shape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";

export type Three = readonly [number, number, number];

/** What a kernel call covers: all in elements. */
export interface Block {
  /** Number of its first position. */
  readonly first: number;
  readonly sizes: Three;
  /** Per operand: where the block begins, and its strides. */
  readonly offsets: readonly number[];
  readonly strides: readonly Three[];
}

/**
 * Calls `visit` for each block, in row-major order; axes of size 1 are dropped, neighbours that lie in one row in every
 * operand merged. A visit answers 0, or 1 + the position in its block at which to stop; the walk answers the same of all.
 */
export function eachBlock(shape: Shape, strides: readonly (readonly number[])[], visit: (block: Block) => number): number {
  const sizes: number[] = [];
  const steps: number[][] = strides.map(() => []);
  let total = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis];
    total *= size;
    if (size === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && steps.every((own, i) => own[last] === strides[i][axis] * size)) {
      sizes[last] *= size;
      for (let i = 0; i < steps.length; i++) steps[i][last] = strides[i][axis];
    } else {
      sizes.push(size);
      for (let i = 0; i < steps.length; i++) steps[i].push(strides[i][axis]);
    }
  }
  if (total === 0) return 0;
  while (sizes.length < 3) {
    sizes.unshift(1);
    for (const own of steps) own.unshift(0);
  }
  const outer = sizes.length - 3;
  const inner = three(sizes, outer);
  const innerStrides = steps.map((own) => three(own, outer));
  const block = inner[0] * inner[1] * inner[2];
  const index = new Array<number>(outer).fill(0);
  const offsets = new Array<number>(steps.length).fill(0);
  for (let first = 0; first < total; first += block) {
    const stop = visit({ first, sizes: inner, offsets, strides: innerStrides });
    if (stop !== 0) return first + stop;
    for (let axis = outer - 1; axis >= 0; axis--) {
      for (let i = 0; i < steps.length; i++) offsets[i] += steps[i][axis];
      if (++index[axis] < sizes[axis]) break;
      for (let i = 0; i < steps.length; i++) offsets[i] -= steps[i][axis] * sizes[axis];
      index[axis] = 0;
    }
  }
  return 0;
}

function three(list: readonly number[], at: number): Three {
  return [list[at], list[at + 1], list[at + 2]];
}

/** Strides of x as it broadcasts to `ndim` axes: 0 where an axis is missing or has size 1. */
export function broadcastStrides(x: Tensor, ndim: number): number[] {
  const added = ndim - x.ndim;
  return Array.from({ length: ndim }, (_, i) => (i < added || x.shape[i - added] === 1 ? 0 : x.strides[i - added]));
}
