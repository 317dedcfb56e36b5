// Random shapes, values and memory layouts for tests; a function of the seed alone, which tests print.
import type { Draw, SampleOperand } from "../bindings/op.js";
import { flip, permute, reshape, slice, stack, type Tensor, tensor } from "../ts-src/index.js";

const LARGEST = 4;

export class Random implements Draw {
  private state: number;
  /** The most elements of an axis. */
  private readonly largest: number;

  constructor(seed: number, largest = LARGEST) {
    this.state = seed >>> 0;
    this.largest = largest;
  }

  /** Uniform in [0, 1) (mulberry32). */
  unit(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)];
  }

  shape(least = 0, most = 4): number[] {
    return Array.from({ length: this.integer(least, most) }, () => (this.unit() < 0.04 ? 0 : this.integer(1, this.largest)));
  }

  broadcast(): [number[], number[]] {
    const full = this.shape();
    const narrow = (): number[] => full.slice(this.unit() < 0.3 ? this.integer(0, full.length) : 0).map((n) => (this.unit() < 0.3 ? 1 : n));
    return this.unit() < 0.5 ? [full, narrow()] : [narrow(), full];
  }

  /** An operand with its values, contiguous. */
  operand(of: SampleOperand): Tensor {
    if ("values" in of) return reshape(tensor(Float64Array.from(of.values)).to(of.dtype), of.shape);
    const { low = -2, high = 2, away = 0 } = of;
    const size = of.shape.reduce((n, length) => n * length, 1);
    const values = Float64Array.from({ length: size }, () => {
      const x = low + this.unit() * (high - low);
      return Math.abs(x) < away ? (x < 0 ? x - away : x + away) : x;
    });
    return reshape(tensor(values), of.shape);
  }

  /** The same elements, now and then in another memory layout: axes permuted, reversed, or every second element of a larger tensor. */
  layout(x: Tensor): (x: Tensor) => Tensor {
    if (x.ndim === 0 || this.unit() < 0.4) return (t) => t;
    const kind = this.integer(0, 3);
    if (kind === 0) {
      const axis = x.shape.map((_, i) => i).filter(() => this.unit() < 0.5);
      return (t) => flip(flip(t, { axis }).clone(), { axis });
    }
    if (kind === 1) {
      const axis = this.integer(0, x.ndim);
      return (t) => slice(stack([t, t], { axis }), ...x.shape.slice(0, axis).map(() => null), 1);
    }
    const order = x.shape.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const back = order.map((_, i) => order.indexOf(i));
    // a contiguous copy in the other order, seen in the first order
    return (t) => permute(permute(t, ...order).clone(), ...back);
  }
}
