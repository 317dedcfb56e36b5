// Every function of tensors is also a method: x.add(y) is add(x, y).
import { Tensor } from "../../bindings/tensor.js";
import * as activations from "./activations.js";
import * as binary from "./binary.js";
import * as compare from "./compare.js";
import * as convert from "./convert.js";
import * as exponential from "./exponential.js";
import * as gelus from "./gelu.js";
import * as hyperbolic from "./hyperbolic.js";
import * as inplace from "./inplace.js";
import * as logic from "./logic.js";
import * as matrix from "./matmul.js";
import * as piecewise from "./piecewise.js";
import * as power from "./power.js";
import * as reduce from "./reduce.js";
import * as reverse from "./reverse.js";
import * as rounding from "./rounding.js";
import * as select from "./select.js";
import * as shape from "./shape.js";
import * as softmaxes from "./softmax.js";
import * as text from "./text.js";
import * as trigonometry from "./trigonometry.js";
import * as unary from "./unary.js";

const { sumTo: _sumTo, ...reductions } = reduce;
const { backward } = reverse;
const { bounds: _bounds, ...selections } = select;
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
  ...selections,
  ...convert,
  ...inplace,
  ...matrix,
  ...reductions,
  ...shape,
  ...softmaxes,
  ...text,
  backward,
};

type Method<F> = F extends (x: Tensor, ...rest: infer R) => infer T ? (...rest: R) => T : never;
type Methods = { [name in keyof typeof functions]: Method<(typeof functions)[name]> };

declare module "../../bindings/tensor.js" {
  interface Tensor extends Methods {}
}

for (const [name, fn] of Object.entries(functions)) {
  const method = function (this: Tensor, ...rest: unknown[]): unknown {
    return (fn as (x: Tensor, ...rest: unknown[]) => unknown)(this, ...rest);
  };
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
}
