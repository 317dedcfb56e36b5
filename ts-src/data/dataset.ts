// Datasets: a number of examples, and the inputs and targets of those picked.
import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { showShape } from "../../bindings/shape.js";
import { Tensor } from "../../bindings/tensor.js";
import { takeRows, takeRowsScaled } from "../ops/rows.js";
import { Examples } from "./operations.js";

/** Inputs and targets of some examples. */
export type Batch = [x: Tensor, y: Tensor];

export interface Dataset {
  /** Number of examples. */
  readonly length: number;
  /** The examples of these numbers (int32 [n]), in new tensors; `epoch` is the round of the loader, 0 where there is none. */
  take(index: Tensor, epoch?: number): Batch;
}

/** Which examples a batch holds, by their numbers in the dataset, and the round of the loader, from 0. */
export interface Place {
  readonly index: Int32Array;
  readonly epoch: number;
}

/** Makes a batch of another. */
export type Transform = (batch: Batch, place: Place) => Batch;

function sameLength(name: string, x: Tensor, y: Tensor): number {
  if (!(x instanceof Tensor) || !(y instanceof Tensor))
    throw new ConfigError(`${name}: expected two tensors, inputs and targets; got ${typeof x} and ${typeof y}`);
  if (x.ndim === 0 || y.ndim === 0 || x.shape[0] !== y.shape[0]) {
    throw new ShapeError(`${name}: expected inputs and targets with as many rows; got ${showShape(x.shape)} and ${showShape(y.shape)}`);
  }
  return x.shape[0];
}

/** Rows of two tensors. Throws ShapeError unless both have as many. */
export class TensorDataset extends Examples {
  readonly length: number;
  readonly inputs: Tensor;
  readonly targets: Tensor;

  constructor(inputs: Tensor, targets: Tensor) {
    super();
    this.length = sameLength("TensorDataset", inputs, targets);
    this.inputs = inputs;
    this.targets = targets;
  }

  take(index: Tensor): Batch {
    return [takeRows(this.inputs, index), takeRows(this.targets, index)];
  }
}

/** Images of bytes with class numbers; a batch has (pixel / 255 - mean) / deviation in float32. */
export class ImageDataset extends Examples {
  readonly length: number;
  /** uint8 [N, ...]. */
  readonly images: Tensor;
  /** int32 [N]. */
  readonly labels: Tensor;
  private readonly scale: number;
  private readonly shift: number;

  constructor(images: Tensor, labels: Tensor, mean: number, deviation: number) {
    super();
    this.length = sameLength("ImageDataset", images, labels);
    this.images = keep(images);
    this.labels = keep(labels);
    this.scale = 1 / (255 * deviation);
    this.shift = -mean / deviation;
  }

  take(index: Tensor): Batch {
    return [takeRowsScaled(this.images, index, this.scale, this.shift), takeRows(this.labels, index)];
  }
}
