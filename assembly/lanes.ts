// How a column kernel reads and writes: LANES neighbours at once, or one element in every lane, so that the last columns
// run through the same code. Classes without fields, used as type parameters (see elementwise/map.ts).
import { lane0 } from "./vector";

export class Full {
  @inline load(p: usize): v128 { return v128.load(p); }
  @inline store(p: usize, x: v128): void { v128.store(p, x); }
}

export class One {
  @inline load(p: usize): v128 { return v128.splat<real>(load<real>(p)); }
  @inline store(p: usize, x: v128): void { store<real>(p, lane0(x)); }
}
