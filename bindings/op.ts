// Declaring and applying an op. A declaration says all there is to know about an op once; apply() runs its kernel now and
// records what its derivative needs.

import { inspect, isWatching, userLine } from "./anomaly.js";
import { copyInto } from "./copy.js";
import { type DType, isFloat, itemBytes } from "./dtype.js";
import { ConfigError, DtypeError, OutOfMemoryError } from "./errors.js";
import { type Kernels, kernelsOf } from "./kernels.js";
import { adopt, Storage } from "./lifetime.js";
import { contiguousStrides, type Shape, showShape } from "./shape.js";
import { showValue } from "./show.js";
import { type Cut, dividedKernel } from "./split.js";
import { currentEpoch, isRecording, noteTracked, record } from "./tape.js";
import { Tensor } from "./tensor.js";
import { activeTracer } from "./trace.js";

export { copyInto };

export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Shape, strides and offset of a view, in elements. */
export interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** How a sample's operand is drawn: uniform in [low, high), at least `away` from 0; or given. */
export type SampleOperand =
  | { readonly shape: Shape; readonly low?: number; readonly high?: number; readonly away?: number }
  | { readonly values: readonly number[]; readonly shape: Shape; readonly dtype: DType };

/** Inputs on which the op's derivatives are proven, away from kinks. */
export type Sample<I extends string, P> = {
  readonly inputs: { readonly [name in I]: SampleOperand };
} & (unknown extends P ? unknown : { readonly params: P });

/** Random shapes, for samples that are drawn anew at each call. */
export interface Draw {
  /** A whole number in low..high, both included. */
  integer(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
  /** `least` to `most` axes (0 to 4 by default) of 0 to 4 elements, an axis of 0 seldom. */
  shape(least?: number, most?: number): number[];
  /** Two shapes that broadcast. */
  broadcast(): [number[], number[]];
}

/** A gradient, computed only when asked for; "zero" where it is zero everywhere, "none" where there is none to ask. */
export type Gradient = (() => Tensor) | "zero" | "none";

export interface Context<I extends string, P> {
  readonly params: P;
  readonly shapes: { readonly [name in I]: Shape };
}

/** One application of an op within vmap: what its batching rule is given. */
export interface Batch<I extends string, P> {
  /** The number of examples. */
  readonly size: number;
  /** Of all examples, the first axis the batch, where `batched`; else the one tensor that all examples share. */
  readonly inputs: { readonly [name in I]: Tensor };
  readonly batched: { readonly [name in I]: boolean };
  /** Of one example. */
  readonly shapes: { readonly [name in I]: Shape };
  readonly y: Spec;
  readonly params: P;
  /** Whether each example draws random numbers of its own, if the op draws any. */
  readonly different: boolean;
  /** The op itself on operands of all examples, with its parameters or others. */
  again(inputs: { readonly [name in I]: Tensor }, params?: P): Tensor;
}

interface Common<I extends string, S extends I | "y", P> {
  /** The field's standard name, also that of the public function. */
  readonly name: string;
  /** Names of the operands, in order. */
  readonly inputs: readonly I[];
  /** Shape and dtype of the output; throws the errors of bad operands. */
  shape(x: { readonly [name in I]: Spec }, params: P): Spec;
  /** Which operands, or the output `y`, the derivative reads. */
  readonly saves: readonly S[];
  /**
   * The derivative, written with ops: from dy, the gradient of each input. It may have the broadcast shape of dy.
   * "zero": the output is piecewise constant. "none": there is no derivative; a float output throws a GradientError when a gradient reaches it.
   */
  readonly vjp: "zero" | "none" | ((dy: Tensor, saved: { readonly [name in S]: Tensor }, context: Context<I, P>) => { readonly [name in I]: Gradient });
  /**
   * The batching rule: the outputs of all examples along a new first axis, by ops on whole batches (after JAX's vmap). The
   * rules that many ops share are in ts-src/ops/batching.ts. Without one, vmap applies the op to the examples one by one.
   */
  readonly batch?: (batch: Batch<I, P>) => Tensor;
  /** With vjp "none": why no gradient can be had; a reverse pass that reaches the op throws it as a GradientError. */
  readonly refuses?: string;
  /**
   * How the work divides between threads. "elements": each element of the output is made from those at its place alone, operands
   * broadcast. Or the axes along which output and operands are cut together; undefined where they cannot be. The bits of an element are
   * the same in a part as in the whole; parts of an output are contiguous unless its kernel reads its strides.
   */
  readonly split?: "elements" | ((x: { readonly [name in I]: Tensor }, y: Tensor, params: P, parts: number) => Cut<I> | undefined);
  /** Floating-point operations, multiply and add apart; one an element of the output by default. */
  readonly flops?: (x: { readonly [name in I]: Spec }, y: Spec) => number;
  /** See Sample; at least one is drawn at random, so that many shapes are proven. Empty for an op without derivative. */
  readonly samples: readonly (Sample<NoInfer<I>, NoInfer<P>> | ((draw: Draw) => Sample<NoInfer<I>, NoInfer<P>>))[];
}

interface Computed<I extends string, P> {
  /** Runs the kernel; operands are contiguous unless `strided`. */
  kernel(k: Kernels, x: { readonly [name in I]: Tensor }, y: Tensor, params: P): void;
  readonly strided?: boolean;
  readonly view?: undefined;
}

interface Viewed<P> {
  /** The output shares the memory of the one input; undefined where no strides fit: its elements are then copied in order. */
  view(x: Layout, y: Spec, params: P): Layout | undefined;
  readonly kernel?: undefined;
  readonly strided?: undefined;
}

export type Op<I extends string = string, S extends I | "y" = I | "y", P = unknown> = Common<I, S, P> & (Computed<I, P> | Viewed<P>);

// what tape and walk see of an op: names are then just strings
// biome-ignore lint/suspicious/noExplicitAny: parameters are opaque here, each op knows its own
export type AnyOp = Op<string, string, any>;

/** Declarations by name: grows by declare() alone. */
class Declarations extends Map<string, AnyOp> {
  declare(declaration: AnyOp): void {
    super.set(declaration.name, declaration);
  }
  override set(name: string): never {
    return refused(name);
  }
  override delete(name: string): never {
    return refused(name);
  }
  override clear(): never {
    return refused("every op");
  }
}

function refused(what: string): never {
  throw new ConfigError(`ops: expected no change to a read-only map; got one of ${what}; declare a new op with customOp`);
}

const declared = new Declarations();

/** Every declaration, by name. */
export const ops: ReadonlyMap<string, AnyOp> = declared;

/** Declares an op; see docs/adding-an-op.md. Throws ConfigError if the name is taken. */
export function op<const I extends string, const S extends I | "y", P>(declaration: Op<I, S, P>): Op<I, S, P> {
  if (declared.has(declaration.name)) throw new ConfigError(`op: expected a new name; got ${declaration.name}, which is declared already`);
  declared.declare(declaration as unknown as AnyOp);
  return declaration;
}

/** A new tensor with memory of its own; not yet owned by anyone. */
export function allocated(origin: string, dtype: DType, shape: Shape): Tensor {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  let storage: Storage;
  try {
    storage = new Storage(size * itemBytes(dtype));
  } catch (error) {
    if (error instanceof OutOfMemoryError) throw new OutOfMemoryError(`${origin}: ${dtype} ${showShape(shape)}: ${error.message}`);
    throw error;
  }
  return new Tensor(storage, origin, dtype, shape);
}

/** Another handle of the same elements, history included; owned by the innermost scope or the garbage collector. */
export function share(t: Tensor): Tensor {
  const y = new Tensor(t.storage, t.origin, t.dtype, t.shape, t.strides, t.offset);
  y.node = t.node;
  adopt(y, t.epoch);
  return y;
}

/** A contiguous copy for one kernel call; the caller disposes it. */
function packed(x: Tensor): Tensor {
  const y = allocated("copy", x.dtype, x.shape);
  copyInto(y, x);
  return y;
}

/** Calls the kernel of an op on operands as it wants them. */
export function computeInto(y: Tensor, declaration: AnyOp, operands: { readonly [name: string]: Tensor }, params: unknown): void {
  const first = declaration.inputs.length > 0 ? operands[declaration.inputs[0]].dtype : y.dtype;
  const dtype = isFloat(y.dtype) ? y.dtype : first;
  // asked for anew by each part, whose calls may be noted
  dividedKernel(declaration, operands, y, params, (xs, part, own) => declaration.kernel?.(kernelsOf(dtype), xs, part, own));
}

function computed(declaration: AnyOp, spec: Spec, inputs: { [name: string]: Tensor }, params: unknown): Tensor {
  const names = declaration.inputs;
  let operands = inputs;
  let copies: Tensor[] | undefined;
  const y = allocated(declaration.name, spec.dtype, spec.shape);
  try {
    if (!declaration.strided) {
      for (let i = 0; i < names.length; i++) {
        const x = inputs[names[i]];
        if (x.contiguous) continue;
        if (copies === undefined) {
          copies = [];
          operands = { ...inputs };
        }
        const copy = packed(x);
        copies.push(copy);
        operands[names[i]] = copy;
      }
    }
    computeInto(y, declaration, operands, params);
  } catch (error) {
    y.dispose();
    throw error;
  } finally {
    if (copies !== undefined) for (const copy of copies) copy.dispose();
  }
  return y;
}

/**
 * Applies an op: checks operands and shapes, runs the kernel, and records the derivative if a gradient may be wanted.
 * Throws DisposedError, ShapeError, DtypeError, OutOfMemoryError.
 */
export function apply<I extends string, S extends I | "y", P>(
  declaration: Op<I, S, P>,
  inputs: { readonly [name in I]: Tensor },
  ...rest: unknown extends P ? [] : [params: P]
): Tensor {
  return run(declaration as unknown as AnyOp, inputs, rest[0]);
}

function run(declaration: AnyOp, inputs: { [name: string]: Tensor }, params: unknown): Tensor {
  const names = declaration.inputs;
  const tracer = activeTracer();
  const mapper = tracer?.mapper;
  let tracked = false;
  let stepped = false;
  for (let i = 0; i < names.length; i++) {
    const x = inputs[names[i]];
    if (!(x instanceof Tensor)) throw new DtypeError(`${declaration.name}: expected a tensor for ${names[i]}; got ${showValue(x)}`);
    if (x.claim.end !== undefined) x.alive(`${declaration.name}: ${names[i]}`);
    // within vmap there are two tapes: that of the examples, and that of the batches, which is outside
    if (x.edge !== undefined && (mapper === undefined || mapper.owns(x))) {
      tracked = true;
      noteTracked(x);
    }
    if (x.epoch !== undefined) stepped = true;
  }
  if (mapper !== undefined && !mapper.maps(names, inputs, params)) return mapper.below(() => run(declaration, inputs, params));
  const spec = declaration.shape(inputs, params);
  let y: Tensor;
  if (tracer !== undefined) y = tracer.record(declaration, inputs, params, spec);
  else if (declaration.view) {
    const x = inputs[names[0]];
    const layout = declaration.view(x, spec, params);
    if (layout === undefined) {
      y = allocated(declaration.name, spec.dtype, spec.shape);
      copyInto({ ptr: y.ptr, dtype: y.dtype, shape: x.shape, strides: contiguousStrides(x.shape) }, x);
    } else y = new Tensor(x.storage, declaration.name, spec.dtype, layout.shape, layout.strides, layout.offset);
  } else y = computed(declaration, spec, inputs, params);

  const watching = isWatching();
  if (watching && tracer === undefined) {
    try {
      inspect(
        declaration.name,
        names.map((name) => inputs[name]),
        params,
        y,
      );
    } catch (error) {
      y.dispose();
      throw error;
    }
  }
  // without a derivative it is recorded all the same if it is a float: a gradient that arrives there is an error, not a zero
  if (tracked && isRecording() && (declaration.vjp !== "none" || isFloat(y.dtype))) {
    const edges = new Array(names.length);
    const shapes = new Array<Shape>(names.length);
    for (let i = 0; i < names.length; i++) {
      const x = inputs[names[i]];
      edges[i] = mapper === undefined || mapper.owns(x) ? x.edge : undefined;
      shapes[i] = x.shape;
    }
    const node = record(declaration, params, edges, shapes, y.dtype);
    y.node = node;
    if (watching) node.place = userLine();
    const saves = declaration.saves;
    if (saves.length > 0) {
      const saved = new Array<Tensor>(saves.length);
      for (let i = 0; i < saves.length; i++) saved[i] = inputs[saves[i]] ?? y; // a fused derivative has an operand y, which hides the output
      node.save(saved);
    }
    adopt(y, node.epoch);
  } else adopt(y, stepped ? currentEpoch() : undefined);
  return y;
}
