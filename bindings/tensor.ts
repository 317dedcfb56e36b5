// The handle of a tensor: shape, strides and dtype over a block of memory, and its place on the tape. Operations are
// added to it as methods where they are declared.
import { userLine } from "./anomaly.js";
import { type DType, isFloat, itemBytes, type TypedArray } from "./dtype.js";
import { ConfigError, DisposedError, DtypeError, GradientError, ShapeError } from "./errors.js";
import { BatchedStorage, Claim, reached, type Storage, SYMBOLIC } from "./lifetime.js";
import { read, view } from "./memory.js";
import { contiguousStrides, isContiguous, type Shape, sameShape, showShape, sizeOf } from "./shape.js";
import type { Edge, Epoch, Node } from "./tape.js";
import { activeTracer, Untraceable } from "./trace.js";

export type NestedArray = number | boolean | NestedArray[];

const ends = {
  dispose: "it was disposed; call dispose() after the last use",
  scope: "its scope ended; return it from the scope or keep() it",
  reset: "its leaf has dropped it; keep(gradient) holds one for longer",
  step: "its training step is over; use loss.item() or keep(loss) to hold a result for longer",
};

/** Outside the class: bundlers rename a class that names itself, and then `constructor.name` is another. */
function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

export class Tensor {
  readonly shape: Shape;
  /** In elements, as is `offset`. */
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
  readonly size: number;
  readonly contiguous: boolean;
  readonly storage: Storage;
  private readonly offsetBytes: number;
  /** Name of what made it. */
  readonly origin: string;
  claim: Claim;
  /** The record that made it, if it is part of a graph. */
  node: Node | undefined = undefined;
  epoch: Epoch | undefined = undefined;
  /** The leaf that this is the gradient of. */
  anchor: Tensor | undefined = undefined;
  private gradient: Tensor | undefined = undefined;
  private leaf = false;

  constructor(storage: Storage, origin: string, dtype: DType, shape: Shape, strides?: readonly number[], offset = 0) {
    this.storage = storage;
    this.claim = new Claim(storage);
    this.origin = origin;
    this.dtype = dtype;
    this.shape = shape;
    this.size = sizeOf(shape);
    if (strides === undefined) {
      this.strides = contiguousStrides(shape);
      this.contiguous = true;
    } else {
      this.strides = strides;
      this.contiguous = isContiguous(shape, strides);
    }
    this.offset = offset;
    this.offsetBytes = offset * itemBytes(dtype);
  }

  /** Address of the first element; throws ConfigError for a symbol of a trace, within a trace for what may change between its runs, and for an example of a batch. */
  get ptr(): number {
    const start = this.storage.ptr;
    if (start === SYMBOLIC || activeTracer()?.older?.(this)) {
      const place = userLine();
      throw new Untraceable(
        `${this.storage instanceof BatchedStorage ? "vmap" : "trace"}: expected a function that is made of ops; got one that reads or changes the elements of ${this.describe()} made by ${this.origin}${place === "" ? "" : ` at ${place}`}; keep item(), data(), branches on values and changes in place out of it`,
      );
    }
    reached?.(this.storage);
    return start + this.offsetBytes;
  }

  /** Whether it stands for a value of a trace, or for one example of a batch, and has no elements. */
  get symbolic(): boolean {
    return this.storage.ptr === SYMBOLIC;
  }

  get ndim(): number {
    return this.shape.length;
  }

  get disposed(): boolean {
    return this.claim.end !== undefined;
  }

  /** Whether gradients flow to it: it is a leaf that asks for one, or was computed from such a leaf. */
  get requiresGrad(): boolean {
    return this.leaf || this.node !== undefined;
  }

  /** Throws GradientError for a tensor that was computed, DtypeError unless its dtype is a float, ConfigError for what is no boolean. */
  set requiresGrad(on: boolean) {
    if (typeof on !== "boolean") throw new ConfigError(`requiresGrad: expected true or false; got ${typeof on}`);
    if (this.node !== undefined) {
      throw new GradientError(`requiresGrad: expected a leaf; got a tensor made by ${this.origin}; use detach() for one without history`);
    }
    if (on && !isFloat(this.dtype)) throw new DtypeError(`requiresGrad: expected dtype float32 or float64; got ${this.dtype}`);
    this.leaf = on;
  }

  /** The gradient of a leaf, after backward(); undefined before. */
  get grad(): Tensor | undefined {
    return this.gradient;
  }

  /** undefined or null for none; throws DtypeError, ShapeError unless it is a tensor of the same dtype and shape. */
  set grad(dx: Tensor | undefined | null) {
    const given = dx ?? undefined;
    if (given !== undefined) {
      if (!isTensor(given)) throw new DtypeError(`grad: expected a tensor, undefined or null; got ${typeof given}`);
      if (given.dtype !== this.dtype) throw new DtypeError(`grad: expected a gradient of dtype ${this.dtype}; got ${given.dtype}`);
      if (!sameShape(given.shape, this.shape)) {
        throw new ShapeError(`grad: expected a gradient of shape ${showShape(this.shape)}; got ${showShape(given.shape)}`);
      }
    }
    this.gradient = given;
    if (given?.symbolic) activeTracer()?.anchored?.(this);
  }

  /** Where its gradient goes; undefined if none is wanted. */
  get edge(): Edge | undefined {
    return this.node ?? (this.leaf ? this : undefined);
  }

  /** float32 [2,3] */
  describe(): string {
    return `${this.dtype} ${showShape(this.shape)}`;
  }

  /** Throws DisposedError unless the tensor still has its memory; `use` begins the message. */
  alive(use: string): this {
    const end = this.claim.end;
    if (end === undefined) return this;
    throw new DisposedError(`${use}: expected a live tensor; got ${this.describe()} made by ${this.origin}: ${ends[end]}`);
  }

  /** Gives the memory back now; a derivative that still needs it keeps it until it is taken. */
  dispose(): void {
    this.claim.release("dispose");
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The one element as a number; throws ShapeError unless there is exactly one. */
  item(): number {
    this.alive("item");
    if (this.size !== 1) throw new ShapeError(`item: expected one element; got shape ${showShape(this.shape)}; use data() or toArray()`);
    return read(this.ptr, this.dtype);
  }

  /** A copy of the elements in row-major order. */
  data(): TypedArray {
    this.alive("data");
    if (this.contiguous) return view(this.ptr, this.size, this.dtype).slice();
    const start = this.ptr - this.offset * itemBytes(this.dtype);
    const block = view(start, this.storage.bytes / itemBytes(this.dtype), this.dtype);
    const out = new (block.constructor as new (length: number) => TypedArray)(this.size);
    const index = new Array<number>(this.ndim).fill(0);
    let from = this.offset;
    for (let i = 0; i < out.length; i++) {
      out[i] = block[from];
      for (let axis = this.ndim - 1; axis >= 0; axis--) {
        from += this.strides[axis];
        if (++index[axis] < this.shape[axis]) break;
        from -= this.strides[axis] * this.shape[axis];
        index[axis] = 0;
      }
    }
    return out;
  }

  /** The elements as nested arrays of numbers (booleans for dtype bool); a number for a scalar. */
  toArray(): NestedArray {
    const data = this.data();
    let at = 0;
    const build = (axis: number): NestedArray => {
      if (axis === this.ndim) {
        const value = data[at++];
        return this.dtype === "bool" ? value !== 0 : value;
      }
      return Array.from({ length: this.shape[axis] }, () => build(axis + 1));
    };
    return build(0);
  }
}
