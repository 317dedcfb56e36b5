// Activation layers: the functions of the same names, their options chosen once.
import type { Tensor } from "../../bindings/tensor.js";
import { elu, mish, selu, silu, softplus } from "../ops/activations.js";
import { checkedOptions } from "../ops/checks.js";
import { numberOptions } from "../ops/fused.js";
import { type GeluOptions, gelu } from "../ops/gelu.js";
import { sigmoid, tanh } from "../ops/hyperbolic.js";
import { logSigmoid } from "../ops/logistic.js";
import { hardsigmoid, hardswish, hardtanh, leakyRelu, relu, softsign } from "../ops/piecewise.js";
import { logSoftmax, softmax } from "../ops/softmax.js";
import { checkedWhole } from "../ops/window.js";
import { Module } from "./module.js";
import { MOST_AXES } from "./parts.js";

/** max(x, 0). */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** x where x > 0, else negativeSlope x; the slope is 0.01 by default. */
export class LeakyReLU extends Module {
  private readonly options: { negativeSlope: number };

  constructor(options: { negativeSlope?: number } = {}) {
    super();
    this.options = numberOptions("LeakyReLU", options, { negativeSlope: 0.01 });
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.options);
  }
}

/** x where x > 0, else alpha (e^x - 1); alpha is 1 by default (Clevert et al. 2016). */
export class ELU extends Module {
  private readonly options: { alpha: number };

  constructor(options: { alpha?: number } = {}) {
    super();
    this.options = numberOptions("ELU", options, { alpha: 1 });
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.options);
  }
}

/** scale elu(x) with the constants of self-normalising networks (Klambauer et al. 2017). */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/** x Phi(x), or its approximation by tanh with `approximate: "tanh"` (Hendrycks and Gimpel 2016). */
export class GELU extends Module {
  private readonly options: GeluOptions;

  constructor(options: GeluOptions = {}) {
    super();
    this.options = { ...checkedOptions("GELU", options, ["approximate"]) };
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.options);
  }
}

/** x sigmoid(x) (Elfwing et al. 2018). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** x tanh(softplus(x)) (Misra 2019). */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return mish(x);
  }
}

/** tanh(x). */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** log(1 / (1 + e^-x)). */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return logSigmoid(x);
  }
}

/** x / (1 + |x|). */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

/** log(1 + e^(beta x)) / beta, and x where beta x > threshold; 1 and 20 by default. */
export class Softplus extends Module {
  private readonly options: { beta: number; threshold: number };

  constructor(options: { beta?: number; threshold?: number } = {}) {
    super();
    this.options = numberOptions("Softplus", options, { beta: 1, threshold: 20 });
  }

  forward(x: Tensor): Tensor {
    return softplus(x, this.options);
  }
}

/** x moved into [minVal, maxVal], -1 and 1 by default. */
export class Hardtanh extends Module {
  private readonly options: { minVal: number; maxVal: number };

  constructor(options: { minVal?: number; maxVal?: number } = {}) {
    super();
    this.options = numberOptions("Hardtanh", options, { minVal: -1, maxVal: 1 });
  }

  forward(x: Tensor): Tensor {
    return hardtanh(x, this.options);
  }
}

/** x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** min(max(x + 3, 0), 6) / 6. */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

interface AxisOption {
  /** The axis whose elements are compared; the last, -1, by default. */
  axis?: number;
}

/** The axis of a softmax layer; that it is one of x is for the forward pass to see. */
function checkedAxisOption(name: string, options: AxisOption): { axis: number } {
  const { axis = -1 } = checkedOptions(name, options, ["axis"]);
  return { axis: checkedWhole(name, "axis", axis, -MOST_AXES) };
}

/** e^x / sum(e^x) along an axis. */
export class Softmax extends Module {
  private readonly options: { axis: number };

  constructor(options: AxisOption = {}) {
    super();
    this.options = checkedAxisOption("Softmax", options);
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.options);
  }
}

/** x - log(sum(e^x)) along an axis. */
export class LogSoftmax extends Module {
  private readonly options: { axis: number };

  constructor(options: AxisOption = {}) {
    super();
    this.options = checkedAxisOption("LogSoftmax", options);
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.options);
  }
}
