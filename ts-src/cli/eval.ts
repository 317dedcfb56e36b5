// tapir eval: measures a saved model on the test images of MNIST.
import { mnist } from "../data/mnist.js";
import { crossEntropy } from "../ops/crossentropy.js";
import { evaluate } from "../train/evaluate.js";
import { accuracy } from "../train/metrics.js";
import { digest, loadNetwork, testLoader } from "./classifier.js";
import { type Command, parse } from "./options.js";
import { percent, result } from "./output.js";

export const command: Command = {
  name: "eval",
  operands: "[MODEL]",
  most: 1,
  summary: "Measures a model that `tapir train mnist` saved (out/mnist/model.safetensors) on the 10,000 test images.",
  options: { json: { help: "print one JSON object as the last line" }, help: { help: "show this" } },
  examples: ["tapir eval", "tapir eval out/mnist/model.safetensors --json"],
};

export async function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { values, operands } = parse(command, args);
  const path = operands[0] ?? "out/mnist/model.safetensors";
  const { test } = await mnist();
  const model = await loadNetwork(path, test.images.shape[1]);
  const scores = await evaluate(model, testLoader(test), { loss: crossEntropy, metrics: { accuracy }, signal });
  result(
    values.json as boolean | undefined,
    { testAccuracy: scores.accuracy, testLoss: scores.loss, digest: digest(model.stateDict()), model: path },
    `test accuracy ${percent(scores.accuracy)}   test loss ${scores.loss.toFixed(4)}   model ${path}`,
  );
}
