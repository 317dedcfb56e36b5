// Recurrent layers, several of them and in both directions: the products of all inputs with their weights are one, the rest of a
// step is a product of the state and a fused cell (Appleyard et al. 2016).

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add } from "../ops/binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import { full } from "../ops/create.js";
import { dropout } from "../ops/dropout.js";
import { tanh } from "../ops/hyperbolic.js";
import { concat, stack } from "../ops/join.js";
import { linear } from "../ops/matmul.js";
import { checkedTensor, floatDtype } from "../ops/operands.js";
import { relu } from "../ops/piecewise.js";
import { gruCell, halves, lstmCell } from "../ops/recurrent.js";
import { reshape, squeeze, transpose, unsqueeze } from "../ops/shape.js";
import { narrow } from "../ops/slice.js";
import { Module } from "./module.js";
import { checkPacked, inverse, isPacked, type PackedSequence, rowsInOrder } from "./packed.js";
import { checkedSizes, type LayerDtype, uniformParameter } from "./parts.js";

export interface RecurrentOptions {
  /** Layers on top of each other, each of which reads the one below; 1 by default. */
  numLayers?: number;
  /** Whether there are biases; true by default. */
  bias?: boolean;
  /** Whether x and y are [B, T, ...] instead of [T, B, ...]; false by default. */
  batchFirst?: boolean;
  /** Probability of dropping an output of each layer but the last, in training; 0 by default. */
  dropout?: number;
  /** Whether a second network reads each layer's input from its end; false by default. */
  bidirectional?: boolean;
  dtype?: LayerDtype;
}

/** The function of a plain recurrent cell. */
export type Nonlinearity = "tanh" | "relu";

function checkedNonlinearity(name: string, value: unknown): Nonlinearity {
  if (value === "tanh" || value === "relu") return value;
  throw new ConfigError(`${name}: expected nonlinearity "tanh" or "relu"; got ${showValue(value)}`);
}

/** The parts of a state: h, or h and c. */
type Parts = readonly Tensor[];

/** A step of a cell: from the products of input and state, and the state before, the state after. */
type Cell = (a: Tensor, b: Tensor, state: Parts) => Parts;

const plainCells: Record<Nonlinearity, Cell> = {
  tanh: (a, b) => [tanh(add(a, b))],
  relu: (a, b) => [relu(add(a, b))],
};
const lstm: Cell = (a, b, [, c]) => halves(lstmCell(a, b, c));
const gru: Cell = (a, b, [h]) => [gruCell(a, b, h)];

/** x in pieces along its first axis, by halves: the gradients of n pieces are joined in log2(n) passes over x instead of n. */
function pieces(x: Tensor, sizes: readonly number[]): Tensor[] {
  if (sizes.length === 1) return [x];
  const middle = sizes.length >> 1;
  const first = sizes.slice(0, middle).reduce((sum, n) => sum + n, 0);
  return [...pieces(narrow(x, 0, 0, first), sizes.slice(0, middle)), ...pieces(narrow(x, 0, first, x.shape[0] - first), sizes.slice(middle))];
}

/** Rows from..to of each part. */
function rowsOf(state: Parts, from: number, to: number): Parts {
  return state.map((s) => (from === 0 && to === s.shape[0] ? s : narrow(s, 0, from, to - from)));
}

function joined(states: readonly Parts[]): Parts {
  return states.length === 1 ? states[0] : states[0].map((_, i) => concat(states.map((state) => state[i])));
}

/** Steps over what each time gives, whose first sizes[t] rows are sequences that have not ended; the outputs by time, and the last state of each sequence. */
function run(step: (a: Tensor, state: Parts) => Parts, inputs: readonly Tensor[], sizes: readonly number[], initial: Parts, reverse: boolean) {
  const outputs = new Array<Tensor>(inputs.length);
  const ended: Parts[] = [];
  let state: Parts = reverse ? rowsOf(initial, 0, sizes[sizes.length - 1]) : initial;
  for (let i = 0; i < inputs.length; i++) {
    const t = reverse ? inputs.length - 1 - i : i;
    const rows = state[0].shape[0];
    if (rows > sizes[t]) {
      ended.unshift(rowsOf(state, sizes[t], rows));
      state = rowsOf(state, 0, sizes[t]);
    } else if (rows < sizes[t]) state = joined([state, rowsOf(initial, rows, sizes[t])]);
    state = step(inputs[t], state);
    outputs[t] = state[0];
  }
  return { y: outputs.length === 1 ? outputs[0] : concat(outputs), last: joined([state, ...ended]) };
}

/** What a layer reads: rows of all steps, how many each step has, and how to give back the like. */
interface Rows<X> {
  readonly data: Tensor;
  readonly sizes: readonly number[];
  readonly batch: number;
  /** The order of the sequences in the rows. */
  readonly order: readonly number[];
  back(y: Tensor): X;
  /** Whether x had no axis for the batch. */
  readonly single: boolean;
}

/** What the recurrent layers have in common; S is the state as users see it. */
abstract class Recurrent<S> extends Module<[x: Tensor | PackedSequence, state?: S], [Tensor | PackedSequence, S]> {
  readonly [weight: `weight_${string}` | `bias_${string}`]: Tensor;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  private readonly layer: string;

  constructor(layer: string, gates: number, inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super();
    checkedSizes(layer, { inputSize, hiddenSize });
    const { numLayers = 1, bias = true, batchFirst = false, dropout: p = 0, bidirectional = false, dtype } = options;
    checkedSizes(layer, { numLayers });
    this.layer = layer;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = checkedFlag(layer, "bias", bias);
    this.batchFirst = checkedFlag(layer, "batchFirst", batchFirst);
    this.dropout = checkedNumber(layer, "dropout", p, 0, 1);
    this.bidirectional = checkedFlag(layer, "bidirectional", bidirectional);
    const bound = 1 / Math.sqrt(hiddenSize);
    const rows = gates * hiddenSize;
    for (let i = 0; i < numLayers; i++) {
      const inputs = i === 0 ? inputSize : hiddenSize * this.suffixes(0).length;
      for (const suffix of this.suffixes(i)) {
        const shapes: Record<string, number[]> = { weight_ih: [rows, inputs], weight_hh: [rows, hiddenSize] };
        if (bias) Object.assign(shapes, { bias_ih: [rows], bias_hh: [rows] });
        for (const [name, shape] of Object.entries(shapes)) Object.assign(this, { [`${name}${suffix}`]: uniformParameter(shape, bound, dtype) });
      }
    }
  }

  protected abstract readonly cell: Cell;
  /** The parts of a state that came, each [layers and directions, B, H]. */
  protected abstract partsOf(state: S | undefined): readonly unknown[];
  protected abstract stateOf(parts: Parts): S;
  /** Of how many parts a state is. */
  protected abstract readonly stateParts: number;

  /** What ends the names of a layer's weights, for each direction. */
  private suffixes(layer: number): string[] {
    return [`_l${layer}`, ...(this.bidirectional ? [`_l${layer}_reverse`] : [])];
  }

  /**
   * y [T, B, D H] and the state after the last step, each part [numLayers D, B, H], D = 2 if bidirectional, else 1; from x [T, B, C]
   * ([B, T, C] with batchFirst; [T, C] for one sequence) or a packed sequence, and the state before, 0 if none came. Throws ShapeError, DtypeError.
   */
  forward<X extends Tensor | PackedSequence>(x: X, state?: S): [X, S] {
    return scope(() => {
      // a packed sequence is given back as one, a tensor as a tensor
      const rows = (isPacked(x) ? this.packedRows(x) : this.paddedRows(x)) as Rows<X>;
      const [y, last] = this.stacked(rows, this.initial(rows, state));
      return [rows.back(y), this.stateOf(last.map((part) => (rows.single ? squeeze(part, 1) : rowsInOrder(part, inverse(rows.order), 1))))];
    });
  }

  private paddedRows(x: Tensor): Rows<Tensor> {
    checkedTensor(this.layer, "x", x);
    x.alive(this.layer);
    const single = x.ndim === 2;
    const [T, B] = single ? [x.shape[0], 1] : this.batchFirst ? [x.shape[1], x.shape[0]] : x.shape;
    if ((!single && x.ndim !== 3) || x.shape[x.ndim - 1] !== this.inputSize || x.size === 0) {
      const axes = this.batchFirst ? "B, T" : "T, B";
      throw new ShapeError(`${this.layer}: expected x [${axes}, ${this.inputSize}] or [T, ${this.inputSize}], T and B at least 1; got ${showShape(x.shape)}`);
    }
    const swap = this.batchFirst && !single;
    const data = reshape(swap ? transpose(x, 0, 1) : x, [T * B, this.inputSize]);
    const back = (y: Tensor): Tensor => {
      if (single) return y;
      const wide = reshape(y, [T, B, y.shape[1]]);
      return swap ? transpose(wide, 0, 1) : wide;
    };
    return { data, sizes: new Array<number>(T).fill(B), batch: B, order: Array.from({ length: B }, (_, i) => i), back, single };
  }

  private packedRows(x: PackedSequence): Rows<PackedSequence> {
    checkPacked(this.layer, x);
    const { data, batchSizes, sortedIndices } = x;
    if (data.ndim !== 2 || data.shape[1] !== this.inputSize) {
      throw new ShapeError(`${this.layer}: expected packed rows of ${this.inputSize} elements; got data ${showShape(data.shape)}`);
    }
    const back = (y: Tensor): PackedSequence => ({ data: y, batchSizes, sortedIndices });
    return { data, sizes: batchSizes, batch: sortedIndices.length, order: sortedIndices, back, single: false };
  }

  /** The parts of the state before the first step, for each layer and direction, in the order of the rows. */
  private initial(rows: Rows<unknown>, state: S | undefined): Parts[] {
    const count = this.numLayers * this.suffixes(0).length;
    const shape = rows.single ? [count, this.hiddenSize] : [count, rows.batch, this.hiddenSize];
    if (state === undefined || state === null) {
      const zero = full([rows.batch, this.hiddenSize], 0, { dtype: floatDtype(this.layer, { x: rows.data }) as "float32" });
      return Array.from({ length: count }, () => new Array<Tensor>(this.stateParts).fill(zero));
    }
    const parts = this.partsOf(state).map((part, i) => {
      checkedTensor(this.layer, "hc"[i], part);
      part.alive(`${this.layer}: ${"hc"[i]}`);
      if (!sameShape(part.shape, shape)) throw new ShapeError(`${this.layer}: expected ${"hc"[i]} of shape ${showShape(shape)}; got ${showShape(part.shape)}`);
      return rows.single ? unsqueeze(part, 1) : rowsInOrder(part, rows.order, 1);
    });
    return Array.from({ length: count }, (_, i) => parts.map((part) => squeeze(narrow(part, 0, i, 1), 0)));
  }

  /** All layers, one after the other: the rows of the last one, and the last states of all. */
  private stacked(rows: Rows<unknown>, initial: readonly Parts[]): [y: Tensor, last: Parts] {
    let x = rows.data;
    const last: Parts[] = [];
    for (let i = 0; i < this.numLayers; i++) {
      const read = i > 0 && this.training && this.dropout > 0 ? dropout(x, { p: this.dropout }) : x;
      const outputs = this.suffixes(i).map((suffix, d) => {
        const bias = (name: "ih" | "hh"): Tensor | null => (this.bias ? this[`bias_${name}${suffix}`] : null);
        const [w, b] = [this[`weight_hh${suffix}`], bias("hh")];
        const inputs = pieces(linear(read, this[`weight_ih${suffix}`], bias("ih")), rows.sizes);
        const result = run((a, state) => this.cell(a, linear(state[0], w, b), state), inputs, rows.sizes, initial[last.length], d === 1);
        last.push(result.last);
        return result.y;
      });
      x = outputs.length === 1 ? outputs[0] : concat(outputs, { axis: 1 });
    }
    return [x, last[0].map((_, part) => stack(last.map((parts) => parts[part])))];
  }
}

const known = ["numLayers", "bias", "batchFirst", "dropout", "bidirectional", "dtype"] as const;

/** What layers share whose state is one tensor. */
abstract class OneState extends Recurrent<Tensor> {
  protected readonly stateParts = 1;

  protected partsOf(state: Tensor): readonly unknown[] {
    return [state];
  }

  protected stateOf([h]: Parts): Tensor {
    return h;
  }
}

/**
 * h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu (Elman 1990). forward(x, h?) gives [y, h]. Weights weight_ih_l0 [H, C],
 * weight_hh_l0 [H, H], ... start uniform in +-1 / sqrt(H). As PyTorch's RNN.
 */
export class RNN extends OneState {
  protected readonly cell: Cell;

  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions & { nonlinearity?: Nonlinearity } = {}) {
    const { nonlinearity = "tanh", ...rest } = checkedOptions("RNN", options, [...known, "nonlinearity"]);
    super("RNN", 1, inputSize, hiddenSize, rest);
    this.cell = plainCells[checkedNonlinearity("RNN", nonlinearity)];
  }
}

/**
 * Gated recurrent units (Cho et al. 2014), see the op gruCell. forward(x, h?) gives [y, h]. Weights weight_ih_l0 [3 H, C],
 * weight_hh_l0 [3 H, H], ... hold the gates r, z, n and start uniform in +-1 / sqrt(H). As PyTorch's GRU.
 */
export class GRU extends OneState {
  protected readonly cell = gru;

  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super("GRU", 3, inputSize, hiddenSize, checkedOptions("GRU", options, known));
  }
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997), see the op lstmCell. forward(x, [h, c]?) gives [y, [h, c]]. Weights
 * weight_ih_l0 [4 H, C], weight_hh_l0 [4 H, H], ... hold the gates i, f, g, o and start uniform in +-1 / sqrt(H). As PyTorch's LSTM.
 */
export class LSTM extends Recurrent<[h: Tensor, c: Tensor]> {
  protected readonly cell = lstm;
  protected readonly stateParts = 2;

  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super("LSTM", 4, inputSize, hiddenSize, checkedOptions("LSTM", options, known));
  }

  protected partsOf(state: [h: Tensor, c: Tensor]): readonly unknown[] {
    return checkedPairOfStates("LSTM", state);
  }

  protected stateOf([h, c]: Parts): [h: Tensor, c: Tensor] {
    return [h, c];
  }
}

function checkedPairOfStates(name: string, state: unknown): readonly unknown[] {
  if (Array.isArray(state) && state.length === 2) return state;
  throw new ConfigError(`${name}: expected a state [h, c]; got ${Array.isArray(state) ? `${state.length} tensors` : showValue(state)}`);
}

export interface CellOptions {
  /** Whether there are biases; true by default. */
  bias?: boolean;
  dtype?: LayerDtype;
}

/** What the cells have in common: one step of a layer, with weights of the same names and layouts. */
abstract class RecurrentCell<S, Y> extends Module<[x: Tensor, state?: S], Y> {
  readonly weight_ih: Tensor;
  readonly weight_hh: Tensor;
  readonly bias_ih: Tensor | null;
  readonly bias_hh: Tensor | null;
  readonly inputSize: number;
  readonly hiddenSize: number;
  private readonly layer: string;

  constructor(layer: string, gates: number, inputSize: number, hiddenSize: number, options: CellOptions) {
    super();
    checkedSizes(layer, { inputSize, hiddenSize });
    const { bias = true, dtype } = options;
    checkedFlag(layer, "bias", bias);
    const [rows, bound] = [gates * hiddenSize, 1 / Math.sqrt(hiddenSize)];
    this.layer = layer;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.weight_ih = uniformParameter([rows, inputSize], bound, dtype);
    this.weight_hh = uniformParameter([rows, hiddenSize], bound, dtype);
    this.bias_ih = bias ? uniformParameter([rows], bound, dtype) : null;
    this.bias_hh = bias ? uniformParameter([rows], bound, dtype) : null;
  }

  /** The state after x [B, C] or [C], from the one before, of which each part is 0 if none came. */
  protected stepped(cell: Cell, x: Tensor, before: readonly unknown[] | undefined, count: number): Parts {
    checkedTensor(this.layer, "x", x);
    x.alive(this.layer);
    if ((x.ndim !== 1 && x.ndim !== 2) || x.shape[x.ndim - 1] !== this.inputSize) {
      throw new ShapeError(`${this.layer}: expected x [B, ${this.inputSize}] or [${this.inputSize}]; got ${showShape(x.shape)}`);
    }
    const shape = x.shape.with(-1, this.hiddenSize);
    return scope(() => {
      const state =
        before?.map((part, i) => {
          checkedTensor(this.layer, "hc"[i], part);
          if (!sameShape(part.shape, shape)) throw new ShapeError(`${this.layer}: expected ${"hc"[i]} ${showShape(shape)}; got ${showShape(part.shape)}`);
          return part;
        }) ?? new Array<Tensor>(count).fill(full(shape, 0, { dtype: floatDtype(this.layer, { x }) as "float32" }));
      return cell(linear(x, this.weight_ih, this.bias_ih), linear(state[0], this.weight_hh, this.bias_hh), state);
    });
  }
}

/** A state that was given, as a list. */
function listed(h: Tensor | undefined): [Tensor] | undefined {
  return h === undefined || h === null ? undefined : [h];
}

/** One step of RNN: forward(x [B, C], h?) gives h' [B, H]. */
export class RNNCell extends RecurrentCell<Tensor, Tensor> {
  private readonly cell: Cell;

  constructor(inputSize: number, hiddenSize: number, options: CellOptions & { nonlinearity?: Nonlinearity } = {}) {
    const { nonlinearity = "tanh", ...rest } = checkedOptions("RNNCell", options, ["bias", "dtype", "nonlinearity"]);
    super("RNNCell", 1, inputSize, hiddenSize, rest);
    this.cell = plainCells[checkedNonlinearity("RNNCell", nonlinearity)];
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.stepped(this.cell, x, listed(h), 1)[0];
  }
}

/** One step of GRU: forward(x [B, C], h?) gives h' [B, H]. */
export class GRUCell extends RecurrentCell<Tensor, Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super("GRUCell", 3, inputSize, hiddenSize, checkedOptions("GRUCell", options, ["bias", "dtype"]));
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.stepped(gru, x, listed(h), 1)[0];
  }
}

/** One step of LSTM: forward(x [B, C], [h, c]?) gives [h', c'], each [B, H]. */
export class LSTMCell extends RecurrentCell<[h: Tensor, c: Tensor], [h: Tensor, c: Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super("LSTMCell", 4, inputSize, hiddenSize, checkedOptions("LSTMCell", options, ["bias", "dtype"]));
  }

  forward(x: Tensor, state?: [h: Tensor, c: Tensor]): [h: Tensor, c: Tensor] {
    const [h, c] = this.stepped(lstm, x, state === undefined || state === null ? undefined : checkedPairOfStates("LSTMCell", state), 2);
    return [h, c];
  }
}
