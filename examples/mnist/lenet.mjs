// LeNet-5 for flat images of 28 x 28 (LeCun et al. 1998, section II.B) with ReLU and max pooling, and with batch
// normalization before each of them if asked for.
import { layers } from "../../dist/index.js";

const { BatchNorm1d, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential } = layers;
const SIDE = 28; // pixels

export class LeNet extends Module {
  constructor({ batchNorm = false } = {}) {
    super();
    const activated = (Norm, features) => [...(batchNorm ? [new Norm(features)] : []), new ReLU()];
    this.features = new Sequential(
      ...[new Conv2d(1, 6, 5, { padding: 2 }), ...activated(BatchNorm2d, 6), new MaxPool2d(2)],
      ...[new Conv2d(6, 16, 5), ...activated(BatchNorm2d, 16), new MaxPool2d(2)],
    );
    this.classifier = new Sequential(
      ...[new Flatten(), new Linear(400, 120), ...activated(BatchNorm1d, 120)],
      ...[new Linear(120, 84), ...activated(BatchNorm1d, 84), new Linear(84, 10)],
    );
  }

  /** Logits [N, 10] of images x [N, 784]. */
  forward(x) {
    return this.classifier.forward(this.features.forward(x.reshape([x.shape[0], 1, SIDE, SIDE])));
  }
}
