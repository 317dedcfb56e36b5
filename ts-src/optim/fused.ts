// The base of optimizers whose update goes element by element: one kernel changes a parameter and its state in one pass. Settings
// stand in cells that the kernel reads, so that a change of one is a write to memory and a compiled step is not traced anew.

import { type Kernels, kernelsOf } from "../../bindings/kernels.js";
import { keep } from "../../bindings/lifetime.js";
import { dividedElements } from "../../bindings/split.js";
import { Tensor } from "../../bindings/tensor.js";
import { change } from "../../bindings/trace.js";
import { clone } from "../ops/convert.js";
import { full } from "../ops/create.js";
import { Cells } from "./cells.js";
import { type CommonSettings, checkCommon, Optimizer, type OptimizerState, type ParamGroup, type StateKind } from "./optimizer.js";

/** As enum Cell in assembly/optim/cells.ts. */
const [STEPS, SETTINGS, CELLS] = [0, 1, 12];

/** The first cell behind the settings. */
export const KEPT = 8;

/** State of a parameter: tensors like it by PyTorch's names, and its cells. */
export interface FusedState {
  readonly loaded: boolean;
  readonly tensors: { readonly [name: string]: Tensor };
  readonly cells: Cells;
}

/** The addresses that a kernel is given. */
export interface Addresses {
  readonly w: number;
  readonly g: number;
  /** Of the state tensors, in the order of their names. */
  readonly state: readonly number[];
  readonly cells: number;
  readonly n: number;
}

export abstract class FusedOptimizer<S extends CommonSettings> extends Optimizer<S, FusedState> {
  private readonly writers = new Map<ParamGroup<S>, () => void>();
  private readonly allWrites = new Map<readonly string[], readonly string[]>();
  /** What each of them wrote last. */
  private readonly written = new Map<ParamGroup<S>, Float64Array>();
  /** Numbers of the state beside tensors: the cell of each, and what it is before the first step. */
  protected readonly numbers: { readonly [name: string]: { readonly cell: number; readonly first: number } } = { step: { cell: STEPS, first: 0 } };
  /** Operations of an element, of which a square root or a quotient counts as 10. */
  protected abstract readonly flops: number;

  /** Names of the state tensors with these settings; the same array for the same names. */
  protected abstract stateNames(settings: S): readonly string[];
  /** The settings that stand in the cells beta1, beta2, eps, extra, as the kernel has it. */
  protected abstract ownSettings(settings: S): readonly number[];
  /** Counts a step, and works out what is the same for all elements. */
  protected abstract advance(k: Kernels, cells: number, names: readonly string[]): void;
  /** Changes n elements of a parameter and of its state, whose tensors are `names`. */
  protected abstract kernel(k: Kernels, at: Addresses, names: readonly string[]): void;

  protected check(settings: S): void {
    checkCommon(this.name, settings);
  }

  /** What the elements of a new state tensor are. */
  protected firstValue(_settings: S): number {
    return 0;
  }

  protected stepGroup(group: ParamGroup<S>): void {
    for (const p of group.params) {
      const gradient = this.gradientOf(p);
      if (gradient !== undefined) this.update(p, gradient, group);
    }
  }

  /** Changes p by its gradient. */
  protected update(p: Tensor, gradient: Tensor, group: ParamGroup<S>): void {
    // few objects, as a step op by op of a small network is mostly what JavaScript makes: 21 instead of 28 us for 4-16-3
    const names = this.stateNames(group);
    const state = this.stateOf(p, group, names);
    const tensors: { [name: string]: Tensor } = { p, cells: state.cells.tensor, gradient };
    for (let i = 0; i < names.length; i++) tensors[names[i]] = state.tensors[names[i]];
    change({
      name: this.name,
      tensors,
      writes: this.writesOf(names),
      before: this.writing(group),
      run: (t) => {
        this.advance(kernelsOf(p.dtype), t.cells.ptr, names);
        const writes = [t.p];
        for (let i = 0; i < names.length; i++) writes.push(t[names[i]]);
        dividedElements({ writes, reads: [t.gradient], shared: [t.cells] }, this.flops, (k, addresses, n) => {
          const own = addresses.slice(1, addresses.length - 1);
          this.kernel(k, { w: addresses[0], g: addresses[addresses.length - 1], state: own, cells: t.cells.ptr, n }, names);
        });
      },
      // a plan that was made with this state fits as long as it is in use
      valid: () => this.states.get(p) === state && this.stateNames(group) === names,
    });
  }

  /** What a change of a parameter with state tensors of these names writes to. */
  private writesOf(names: readonly string[]): readonly string[] {
    let writes = this.allWrites.get(names);
    if (writes === undefined) {
      writes = ["p", ...names, "cells"];
      this.allWrites.set(names, writes);
    }
    return writes;
  }

  /** The state of p with tensors of these names. */
  protected stateOf(p: Tensor, group: ParamGroup<S>, names: readonly string[]): FusedState {
    const state = this.states.get(p);
    if (state !== undefined && names.every((name) => state.tensors[name] !== undefined)) return state;
    const made = this.begun(p, group, names, state);
    this.states.set(p, made);
    return made;
  }

  /** A new state, or one with the tensors that another has too little. */
  private begun(p: Tensor, group: ParamGroup<S>, names: readonly string[], before?: FusedState): FusedState {
    const tensors: { [name: string]: Tensor } = { ...before?.tensors };
    for (const name of names) tensors[name] ??= keep(full(p.shape, this.firstValue(group), { dtype: p.dtype }));
    if (before !== undefined) return { ...before, tensors };
    const cells = new Cells(CELLS);
    for (const { cell, first } of Object.values(this.numbers)) cells.set(cell, [first]);
    cells.set(SETTINGS, this.settings(group));
    return { loaded: false, tensors, cells };
  }

  /** What stands in the cells from SETTINGS on. */
  private settings(group: S, into = new Float64Array(KEPT - SETTINGS)): Float64Array {
    into[0] = group.lr;
    into[1] = group.weightDecay;
    into[2] = group.maximize ? -1 : 1;
    const own = this.ownSettings(group);
    for (let i = 0; i < own.length; i++) into[3 + i] = own[i];
    return into;
  }

  /** As the base's; the cells then hold what was saved, whatever was written to those before. */
  override loadStateDict(saved: OptimizerState<S>): void {
    super.loadStateDict(saved);
    for (const written of this.written.values()) written.fill(Number.NaN);
  }

  /** What comes before a change of the group's parameters: settings are written, and checked, when one is another than before. */
  protected writing(group: ParamGroup<S>): () => void {
    let writer = this.writers.get(group);
    if (writer === undefined) {
      const written = new Float64Array(KEPT - SETTINGS).fill(Number.NaN);
      this.written.set(group, written);
      const values = new Float64Array(KEPT - SETTINGS);
      writer = () => {
        this.settings(group, values);
        let same = true;
        for (let i = 0; same && i < values.length; i++) same = values[i] === written[i];
        if (same) return;
        this.check(group);
        for (const p of group.params) this.states.get(p)?.cells.set(SETTINGS, values);
        written.set(values);
      };
      this.writers.set(group, writer);
    }
    return writer;
  }

  protected stateKinds(_p: Tensor, group: ParamGroup<S>): { readonly [name: string]: StateKind } {
    const kinds: { [name: string]: StateKind } = {};
    for (const name of Object.keys(this.numbers)) kinds[name] = name === "step" ? "steps" : "number";
    for (const name of this.stateNames(group)) kinds[name] = "tensor";
    return kinds;
  }

  protected exported({ loaded, tensors, cells }: FusedState, group: ParamGroup<S>): Record<string, Tensor | number> | undefined {
    const names = this.stateNames(group);
    if (!loaded && cells.read(STEPS) === 0) return undefined;
    const shown: Record<string, Tensor | number> = {};
    for (const [name, { cell }] of Object.entries(this.numbers)) shown[name] = cells.read(cell);
    for (const name of names) if (tensors[name] !== undefined) shown[name] = tensors[name];
    return Object.keys(shown).length > 0 ? shown : undefined;
  }

  protected imported(_p: Tensor, state: Record<string, Tensor | number>, group: ParamGroup<S>): FusedState {
    const cells = new Cells(CELLS);
    // where steps are no part of the state, what was saved has had one
    cells.set(STEPS, [1]);
    const tensors: { [name: string]: Tensor } = {};
    for (const [name, value] of Object.entries(state)) {
      if (value instanceof Tensor) tensors[name] = keep(clone(value));
      else cells.set(this.numbers[name].cell, [value]);
    }
    cells.set(SETTINGS, this.settings(group));
    return { loaded: true, tensors, cells };
  }
}
