// Ops that a user declares: out of other ops, or with a WebAssembly kernel of his own.

import { type DType, isFloat } from "../../bindings/dtype.js";
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { CAPTURED, settle, theMemory } from "../../bindings/memory.js";
import { apply, type Batch, type Context, copyInto, type Draw, type Gradient, op, ops, type Sample, type Spec } from "../../bindings/op.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import { withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { Untraceable } from "../../bindings/trace.js";

interface Common<I extends string, S extends I | "y", P> {
  /** A name that no op has yet. */
  readonly name: string;
  /** Names of the operands, in order. */
  readonly inputs: readonly I[];
  /** Shape and dtype of the output; those of the first operand by default. */
  readonly shape?: (x: { readonly [name in I]: Spec }, params: P) => Spec;
  /** Which operands, or the output `y`, the derivative reads. */
  readonly saves: readonly S[];
  /** From dy, the gradient of each operand, written with ops; "zero" or "none" where there is none. */
  readonly vjp: "zero" | "none" | ((dy: Tensor, saved: { readonly [name in S]: Tensor }, context: Context<I, P>) => { readonly [name in I]: Gradient });
  /** The op on all examples of a vmap at once; without it they are computed one by one. */
  readonly batch?: (batch: Batch<I, P>) => Tensor;
  /** Operands on which tests may prove the derivative. */
  readonly samples?: readonly (Sample<I, P> | ((draw: Draw) => Sample<I, P>))[];
}

/** A custom op that is made of other ops. */
export interface ComposedOp<I extends string, S extends I | "y", P> extends Common<I, S, P> {
  /** Computes the output; it is not recorded, as `vjp` is its derivative. */
  readonly forward: (x: { readonly [name in I]: Tensor }, params: P) => Tensor;
  readonly kernel?: undefined;
}

/** A custom op with a kernel over the memory of tapir: `x.ptr` and `y.ptr` are addresses of contiguous elements. */
export interface KernelOp<I extends string, S extends I | "y", P> extends Common<I, S, P> {
  readonly kernel: (x: { readonly [name in I]: Tensor }, y: Tensor, params: P) => void;
  readonly forward?: undefined;
}

type Tensors<I extends readonly string[]> = { [K in keyof I]: Tensor };

/** The memory that every kernel works on, for the imports of a module of one's own (`env.memory`, shared). The module must have no data section. */
export function wasmMemory(): WebAssembly.Memory {
  return theMemory();
}

/**
 * Declares an op and answers its function: operands in the order of `inputs`, then the parameters, if it has any. It is part
 * of tape, gradcheck and `ops` as every other op. Throws ConfigError for a name that is taken or a field that is missing.
 */
export function customOp<const I extends readonly string[], const S extends I[number] | "y", P = undefined>(
  declaration: (ComposedOp<I[number], S, P> | KernelOp<I[number], S, P>) & { readonly inputs: I },
): (...args: [...Tensors<I>, ...(P extends undefined ? [] : [params: P])]) => Tensor {
  check(declaration);
  const { name, inputs, forward, kernel } = declaration;
  const shape = declaration.shape ?? ((x: { readonly [name in I[number]]: Spec }): Spec => x[inputs[0] as I[number]]);
  const declared = op<I[number], S, P>({
    name,
    inputs,
    shape: (x, params) => checkedSpec(name, shape(x, params)),
    kernel(_k, x, y, params) {
      if (kernel === undefined) composed(name, y, () => forward(x, params));
      else if (y.ptr < CAPTURED) {
        settle();
        kernel(x, y, params);
      }
      // an address that stands for memory would be one of other elements there
      else throw new Untraceable(`compile: expected ops of tapir's kernels; got ${name}, which has one of its own`);
    },
    saves: declaration.saves,
    vjp: declaration.vjp,
    batch: declaration.batch,
    samples: declaration.samples ?? [],
  });
  const run = apply as unknown as (o: typeof declared, x: Record<string, unknown>, params: unknown) => Tensor;
  return (...args) => {
    if (args.length < inputs.length) throw new ConfigError(`${name}: expected operands ${inputs.join(", ")}; got ${args.length}`);
    return run(declared, Object.fromEntries(inputs.map((input, i) => [input, args[i]])), args[inputs.length]);
  };
}

function check(declaration: unknown): void {
  const fail = (expected: string, got: unknown): never => {
    throw new ConfigError(`customOp: expected ${expected}; got ${typeof got === "string" ? got : showValue(got)}`);
  };
  if (declaration === null || typeof declaration !== "object") fail("a declaration { name, inputs, forward or kernel, saves, vjp }", declaration);
  const d = declaration as Record<string, unknown>;
  if (typeof d.name !== "string" || !/^\w+$/.test(d.name)) fail("a name of letters and digits", d.name);
  if (ops.has(d.name as string)) fail("a name that no op has", d.name);
  const list = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === "string");
  if (!list(d.inputs) || d.inputs.length === 0) fail("inputs, the names of the operands", d.inputs);
  const inputs = d.inputs as string[];
  if (!list(d.saves) || !d.saves.every((item) => item === "y" || inputs.includes(item))) fail(`saves out of ${inputs.join(", ")}, y`, d.saves);
  if (typeof d.vjp !== "function" && d.vjp !== "zero" && d.vjp !== "none") fail('vjp: a function, "zero" or "none"', d.vjp);
  if ((typeof d.forward === "function") === (typeof d.kernel === "function")) fail("forward or kernel, one of the two", d.forward ?? d.kernel);
  if (d.shape !== undefined && typeof d.shape !== "function") fail("shape: a function", d.shape);
  if (d.batch !== undefined && typeof d.batch !== "function") fail("batch: a function", d.batch);
  const known = ["name", "inputs", "shape", "forward", "kernel", "saves", "vjp", "batch", "samples"];
  for (const field in d) if (!known.includes(field)) fail(`fields ${known.join(", ")}`, field);
}

function checkedSpec(name: string, spec: Spec): Spec {
  const dtypes: readonly DType[] = ["float32", "float64", "int32", "uint8", "bool"];
  if (spec === null || typeof spec !== "object" || !Array.isArray(spec.shape) || !dtypes.includes(spec.dtype)) {
    throw new ShapeError(`${name}: expected shape() to answer { shape, dtype }; got ${showValue(spec)}`);
  }
  return spec;
}

/** Runs the forward function without recording and copies its result to y. */
function composed(name: string, y: Tensor, forward: () => Tensor): void {
  withRecording(false, () =>
    scope(() => {
      const result = forward();
      if (!(result instanceof Tensor)) throw new ShapeError(`${name}: expected forward to answer a tensor; got ${showValue(result)}`);
      if (!sameShape(result.shape, y.shape) || result.dtype !== y.dtype) {
        throw new ShapeError(`${name}: expected forward to answer ${y.describe()}, as shape() says; got ${result.describe()}${hint(result, y)}`);
      }
      copyInto(y, result);
    }),
  );
}

function hint(result: Tensor, y: Tensor): string {
  return isFloat(result.dtype) && !sameShape(result.shape, y.shape) ? `; declare shape: () => ({ shape: ${showShape(result.shape)}, dtype })` : "";
}
