// Sums of products over named indices, contracted two operands at a time by matrix products.

import { ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { sameShape, showShape, sizeOf } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { mul } from "./binary.js";
import { diagonal } from "./diagonal.js";
import { type Equation, parsed } from "./equation.js";
import { matmul } from "./matmul.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { sum } from "./reduce.js";
import { permute, reshape } from "./shape.js";

/** A tensor whose axes have names, each once. */
interface Term {
  readonly x: Tensor;
  readonly names: readonly string[];
}

/**
 * Einstein's sum, such as einsum("bij,jk->bik", a, b): the product of the operands, summed over each index that the output
 * lacks. Without "->" the output has, in alphabetical order, the indices that stand once. An index twice in one operand is
 * its diagonal, "..." stands for axes that broadcast. A view of the operand where there is nothing to compute.
 * Throws ShapeError for an equation that is malformed or does not fit the operands, DtypeError unless they are of one float dtype.
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor {
  if (typeof equation !== "string") throw new ShapeError(`einsum: expected an equation such as "ij,jk->ik"; got ${showValue(equation)}`);
  if (operands.length === 0) throw new ShapeError(`einsum: expected operands for "${printable(equation)}"; got none`);
  for (const [i, x] of operands.entries()) {
    checkedTensor("einsum", `operand ${i + 1}`, x);
    x.alive(`einsum: operand ${i + 1}`);
  }
  floatDtype("einsum", Object.fromEntries(operands.map((x, i) => [`operand ${i + 1}`, x])));
  const fail = (problem: string): never => {
    throw new ShapeError(`einsum: "${printable(equation)}": ${problem}`);
  };
  const { inputs, output } = parsed(
    equation,
    operands.map((x) => x.ndim),
    fail,
  );
  const sizes = sizesOf(inputs, operands, fail);
  for (const name of output) if (!sizes.has(name)) fail(`output index ${name} stands in no operand`);
  return scope(() => {
    const terms = operands.map((x, i) => distinct(x, inputs[i], sizes));
    return contracted(terms, output);
  });
}

function printable(equation: string): string {
  return equation.length > 200 ? `${equation.slice(0, 200)}...` : equation.replace(/\s+/g, " ");
}

/** The size of each index: that of every axis that it names, but for those of size 1. */
function sizesOf(inputs: Equation["inputs"], operands: readonly Tensor[], fail: (problem: string) => never): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [i, names] of inputs.entries()) {
    const own = new Map<string, number>();
    for (const [axis, name] of names.entries()) {
      const n = operands[i].shape[axis];
      const twin = own.get(name);
      if (twin !== undefined && twin !== n) fail(`index ${name} stands for sizes ${twin} and ${n} in operand ${i + 1} ${showShape(operands[i].shape)}`);
      own.set(name, n);
      const other = sizes.get(name) ?? 1;
      if (other === 1) sizes.set(name, n);
      else if (n !== 1 && n !== other) fail(`index ${name} has size ${n} in operand ${i + 1} ${showShape(operands[i].shape)}; expected ${other}, as before`);
    }
  }
  return sizes;
}

/** A term of an operand: indices that stand twice become diagonals, axes that broadcast go. */
function distinct(x: Tensor, names: readonly string[], sizes: ReadonlyMap<string, number>): Term {
  let y = x;
  let rest = [...names];
  for (const name of new Set(names)) {
    for (let first = rest.indexOf(name), last = rest.lastIndexOf(name); last > first; last = rest.lastIndexOf(name), first = rest.indexOf(name)) {
      y = diagonal(y, { axis1: first, axis2: last });
      rest = [...rest.filter((_, axis) => axis !== first && axis !== last), name];
    }
  }
  const stays = rest.map((name, axis) => y.shape[axis] === sizes.get(name));
  if (!stays.includes(false)) return { x: y, names: rest };
  return {
    x: reshape(
      y,
      y.shape.filter((_, axis) => stays[axis]),
    ),
    names: rest.filter((_, axis) => stays[axis]),
  };
}

/** All terms as one, with the axes of the output. */
function contracted(terms: Term[], output: readonly string[]): Tensor {
  const open = terms.map((_, i) => summed(terms, i, output));
  while (open.length > 1) {
    const [i, j] = nextPair(open, output);
    const kept = new Set([...output, ...open.flatMap((term, at) => (at === i || at === j ? [] : term.names))]);
    const y = product(open[i], open[j], kept);
    open.splice(j, 1);
    open[i] = y;
  }
  const [{ x, names }] = open;
  return permute(
    x,
    output.map((name) => names.indexOf(name)),
  );
}

/** A term summed over the indices that stand nowhere else. */
function summed(terms: readonly Term[], at: number, output: readonly string[]): Term {
  const { x, names } = terms[at];
  const used = new Set([...output, ...terms.flatMap((term, i) => (i === at ? [] : term.names))]);
  const axis = names.map((_, i) => i).filter((i) => !used.has(names[i]));
  return axis.length === 0 ? terms[at] : { x: sum(x, { axis }), names: names.filter((name) => used.has(name)) };
}

const MOST_SEARCHED = 32; // terms; beyond, the pairs to compare are too many

/** The pair whose product adds least to what is in memory; of those that have an index in common, if any have. The first of equals. */
function nextPair(terms: readonly Term[], output: readonly string[]): [number, number] {
  if (terms.length > MOST_SEARCHED) return [0, 1];
  const counts = new Map<string, number>();
  const sizes = new Map<string, number>();
  for (const { x, names } of terms) {
    for (const [axis, name] of names.entries()) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      sizes.set(name, x.shape[axis]);
    }
  }
  let best: [number, number] = [0, 1];
  let least = Number.POSITIVE_INFINITY;
  let linked = false;
  for (let i = 0; i < terms.length; i++) {
    for (let j = i + 1; j < terms.length; j++) {
      const [p, q] = [terms[i], terms[j]];
      const common = p.names.filter((name) => q.names.includes(name));
      const gone = common.filter((name) => counts.get(name) === 2 && !output.includes(name));
      const all = [...p.names, ...q.names.filter((name) => !common.includes(name))].filter((name) => !gone.includes(name));
      const cost = sizeOf(all.map((name) => sizes.get(name) as number)) - p.x.size - q.x.size;
      const link = common.length > 0;
      if ((link && !linked) || (link === linked && cost < least)) {
        best = [i, j];
        least = cost;
        linked = link;
      }
    }
  }
  return best;
}

/** The product of two terms, summed over the indices that both have and nobody keeps. */
function product(a: Term, b: Term, kept: ReadonlySet<string>): Term {
  const [long, short] = a.x.size >= b.x.size ? [a, b] : [b, a];
  const common = long.names.filter((name) => short.names.includes(name));
  const batch = common.filter((name) => kept.has(name));
  const inner = common.filter((name) => !kept.has(name));
  const rows = a.names.filter((name) => !common.includes(name));
  const cols = b.names.filter((name) => !common.includes(name));
  const names = [...batch, ...rows, ...cols];
  const p = ordered(a, [...batch, ...rows, ...inner]);
  if (inner.length === 0) {
    const q = ordered(b, [...batch, ...cols]);
    const ones = (count: number): number[] => new Array<number>(count).fill(1);
    const down = shaped(p, [...p.shape, ...ones(cols.length)]);
    const across = shaped(q, [...q.shape.slice(0, batch.length), ...ones(rows.length), ...q.shape.slice(batch.length)]);
    return { x: mul(down, across), names };
  }
  const q = ordered(b, [...batch, ...inner, ...cols]);
  const sizes = p.shape.slice(0, batch.length);
  const m = p.shape.slice(batch.length, batch.length + rows.length);
  const k = sizeOf(p.shape.slice(batch.length + rows.length));
  const n = q.shape.slice(batch.length + inner.length);
  const y = matmul(shaped(p, [...sizes, sizeOf(m), k]), shaped(q, [...sizes, k, sizeOf(n)]));
  return { x: shaped(y, [...sizes, ...m, ...n]), names };
}

function shaped(x: Tensor, shape: readonly number[]): Tensor {
  return sameShape(x.shape, shape) ? x : reshape(x, shape);
}

function ordered({ x, names }: Term, order: readonly string[]): Tensor {
  const axes = order.map((name) => names.indexOf(name));
  return axes.every((axis, i) => axis === i) ? x : permute(x, axes);
}
