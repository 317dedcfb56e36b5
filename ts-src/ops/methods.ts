// Every function of tensors is also a method: x.add(y) is add(x, y).
import { Tensor } from "../../bindings/tensor.js";
import * as activations from "./activations.js";
import * as binary from "./binary.js";
import * as compare from "./compare.js";
import * as convert from "./convert.js";
import * as diagonals from "./diagonal.js";
import * as exponential from "./exponential.js";
import * as gathers from "./gather.js";
import * as gelus from "./gelu.js";
import * as hyperbolic from "./hyperbolic.js";
import * as inplace from "./inplace.js";
import * as joins from "./join.js";
import * as logic from "./logic.js";
import * as matrix from "./matmul.js";
import * as pads from "./pad.js";
import * as piecewise from "./piecewise.js";
import * as power from "./power.js";
import * as products from "./products.js";
import * as reduce from "./reduce.js";
import * as reverse from "./reverse.js";
import * as rounding from "./rounding.js";
import * as scatters from "./scatter.js";
import * as select from "./select.js";
import * as shape from "./shape.js";
import * as slices from "./slice.js";
import * as softmaxes from "./softmax.js";
import * as sorts from "./sort.js";
import * as text from "./text.js";
import * as trigonometry from "./trigonometry.js";
import * as unary from "./unary.js";
import * as uniques from "./unique.js";

const { sumTo: _sumTo, ...reductions } = reduce;
const { backward } = reverse;
const { gatherAlong: _gatherAlong, ...gatherings } = gathers;
const { ordered: _ordered, ...sortings } = sorts;
const { roll, tile } = joins;
const { narrow: _narrow, ...parts } = slices;
const functions = {
  ...piecewise,
  ...rounding,
  ...unary,
  ...exponential,
  ...trigonometry,
  ...hyperbolic,
  ...power,
  ...activations,
  ...gelus,
  ...binary,
  ...compare,
  ...logic,
  ...select,
  ...gatherings,
  ...scatters,
  ...sortings,
  ...uniques,
  ...convert,
  ...inplace,
  ...matrix,
  ...reductions,
  ...shape,
  ...softmaxes,
  ...text,
  ...diagonals,
  ...pads,
  ...products,
  ...parts,
  roll,
  tile,
  backward,
};

type Method<F> = F extends (x: Tensor, ...rest: infer R) => infer T ? (...rest: R) => T : never;
type Methods = { [name in keyof typeof functions]: Method<(typeof functions)[name]> };

declare module "../../bindings/tensor.js" {
  interface Tensor extends Methods {
    // overloads, of which a mapped type keeps the last
    unique(options?: uniques.PlainUnique): Tensor;
    unique(options: uniques.UniqueOptions): Tensor | uniques.Unique;
  }
}

for (const [name, fn] of Object.entries(functions)) {
  const method = function (this: Tensor, ...rest: unknown[]): unknown {
    return (fn as (x: Tensor, ...rest: unknown[]) => unknown)(this, ...rest);
  };
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
}
