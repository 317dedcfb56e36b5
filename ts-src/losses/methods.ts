// Every loss is also a method of its input: x.mseLoss(y) is mseLoss(x, y).
import { Tensor } from "../../bindings/tensor.js";
import { attach, type Method } from "../ops/methods.js";
import { binaryCrossEntropy, binaryCrossEntropyWithLogits, hingeLoss, klDiv } from "./classification.js";
import { cosineSimilarity, tripletMarginLoss } from "./distance.js";
import { focalLoss, multiMarginLoss } from "./margin.js";
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from "./regression.js";

const functions = {
  mseLoss,
  l1Loss,
  huberLoss,
  smoothL1Loss,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  hingeLoss,
  multiMarginLoss,
  focalLoss,
  klDiv,
  cosineSimilarity,
  tripletMarginLoss,
};

type Methods = { [name in keyof typeof functions]: Method<(typeof functions)[name]> };

declare module "../../bindings/tensor.js" {
  interface Tensor extends Methods {}
}

attach(Tensor.prototype, functions);
