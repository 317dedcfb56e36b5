// tapir train: the network of MNIST, or what a configuration file describes.
import { ConfigError } from "../../bindings/errors.js";
import { type Command, oneOf, parse, positive, wholeNumber } from "./options.js";
import { trainConfig } from "./train-config.js";
import { trainMnist, type Values } from "./train-mnist.js";

const summary = `tapir train mnist: trains a 784-n-10 network with ReLU on the 60,000 images of MNIST, measures it on the 10,000 test images
after each epoch, and writes model.safetensors and report.html.

tapir train FILE.json: trains what the file describes, and writes model.safetensors, report.html, history.csv, history.jsonl and
checkpoints. The file is one JSON object:
  { "data": { "source": "iris", "batchSize": 16, "validation": 0.2 },
    "model": [{ "Linear": [4, 16] }, "ReLU", { "Linear": [16, 3] }],
    "loss": "crossEntropy",  "optimizer": { "Adam": { "lr": 0.01 } },  "epochs": 30 }
source: mnist fashionMnist iris csv imageFolder.  More keys: schedule average clip accumulate earlyStopping spikeGuard checkpoint
metrics seed deterministic threads out: docs/train-config.md of the package tells about all, examples/configs holds two files.`;

export const command: Command = {
  name: "train",
  operands: "mnist | FILE.json",
  most: 1,
  summary,
  options: {
    epochs: { value: "N", help: "times round the training examples (mnist: 4; else what the file says)", parse: wholeNumber(1) },
    batch: { value: "N", help: "mnist: images a step", default: "32", parse: wholeNumber(1, 60_000) },
    hidden: { value: "N", help: "mnist: units of the hidden layer", default: "256", parse: wholeNumber(1, 65_536) },
    lr: { value: "X", help: "mnist: learning rate at the start, which falls to 0 by a cosine; 0.1 suits sgd", default: "0.002", parse: positive },
    optimizer: { value: "NAME", help: "mnist: adam or sgd", default: "adam", parse: oneOf("adam", "sgd") },
    seed: { value: "N", help: "mnist: seed of weights and order; the same seed gives the same bits", default: "0", parse: wholeNumber(0, 0xffffffff) },
    resume: { help: "FILE.json: go on from the last checkpoint in the folder, with the bits of a run that was never stopped" },
    overwrite: { help: "FILE.json: begin anew in the folder of an earlier run, whose checkpoints and logs go" },
    threads: { value: "N", help: "threads, with the same bits for any number of them (all cores, or TAPIR_THREADS)", parse: wholeNumber(1, 64) },
    out: { value: "DIR", help: "folder for what is written (mnist: out/mnist; else what the file says, or out/FILE)" },
    json: { help: "print one JSON object as the last line" },
    help: { help: "show this" },
  },
  examples: [
    "tapir train mnist",
    "tapir train mnist --epochs 3 --hidden 128 --optimizer sgd --lr 0.1",
    "tapir train mnist --json | tail -n 1",
    "tapir train examples/configs/mlp-iris.json",
    "tapir train examples/configs/lenet-mnist.json --epochs 5 --resume",
  ],
};

const ONLY = { mnist: ["batch", "hidden", "lr", "optimizer", "seed"], file: ["resume", "overwrite"] } as const;

export async function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { values, operands, given } = parse(command, args);
  const [what] = operands;
  const isFile = what !== undefined && /\.json$/i.test(what);
  if (what !== "mnist" && !isFile) throw new ConfigError(`train: expected the dataset mnist, or a file FILE.json; got ${what ?? "none"}`);
  const odd = ONLY[isFile ? "mnist" : "file"].find((name) => given.has(name));
  if (odd !== undefined) throw new ConfigError(`--${odd}: expected none with ${what}${isFile ? ", which decides it" : ""}; got one`);
  if (isFile) await trainConfig(what, values, signal);
  else {
    const { epochs = 4, out = "out/mnist", ...rest } = values;
    await trainMnist({ epochs, ...rest, out } as unknown as Values, signal);
  }
}
