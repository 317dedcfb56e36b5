// What `tapir plot graph` draws without a file: the network of `tapir train mnist`, and one with convolutions.
import type { Tensor } from "../../bindings/tensor.js";
import { Linear, Module } from "../layers/index.js";
import { conv2d } from "../ops/convolution.js";
import { zeros } from "../ops/create.js";
import { relu } from "../ops/piecewise.js";
import { maxPool2d } from "../ops/pooling.js";
import { reshape } from "../ops/shape.js";
import { CLASSES } from "./classifier.js";

const SIDE = 28; // pixels of an image of MNIST
const KERNEL = 3;

/** 3 x 3 convolution that keeps the size, ReLU, and the largest of each 2 x 2 pixels. */
class Stage extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(inputs: number, outputs: number) {
    super();
    this.weight = zeros([outputs, inputs, KERNEL, KERNEL], { requiresGrad: true });
    this.bias = zeros([outputs], { requiresGrad: true });
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(relu(conv2d(x, this.weight, this.bias, { padding: "same" })), 2);
  }
}

/** Two stages and a linear layer, on images of MNIST. */
export class ConvolutionalNetwork extends Module {
  private readonly stages: readonly Stage[];
  private readonly last: Linear;

  /** `channels` of the first stage; the second has twice as many. */
  constructor(channels: number) {
    super();
    this.stages = [new Stage(1, channels), new Stage(channels, 2 * channels)];
    this.last = new Linear(2 * channels * (SIDE / 4) ** 2, CLASSES);
  }

  override children(): [string, Module][] {
    return [
      ["conv1", this.stages[0]],
      ["conv2", this.stages[1]],
      ["linear", this.last],
    ];
  }

  forward(x: Tensor): Tensor {
    let y = reshape(x, [x.shape[0], 1, SIDE, SIDE]);
    for (const stage of this.stages) y = stage.forward(y);
    return this.last.forward(reshape(y, [x.shape[0], -1]));
  }
}

/** Pixels of an image in a row, as `mnist()` gives them. */
export const PIXELS = SIDE * SIDE;
