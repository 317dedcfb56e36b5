// tapir plot graph: draws what a model or a function computes.

import { ConfigError } from "../../bindings/errors.js";
import "../ops/methods.js";
import { writeBytes } from "../formats/files.js";
import { gradient } from "../graph/gradient.js";
import type { Graph } from "../graph/graph.js";
import { showStats } from "../graph/stats.js";
import { trace } from "../graph/trace.js";
import type { Module } from "../layers/index.js";
import { zeros } from "../ops/create.js";
import { crossEntropy } from "../ops/crossentropy.js";
import { Adam } from "../optim/index.js";
import { loadNetwork, network } from "./classifier.js";
import { ConvolutionalNetwork, PIXELS } from "./networks.js";
import { type Command, oneOf, parse, wholeNumber } from "./options.js";
import { result } from "./output.js";
import { graphOf, type Library, type Model, type Step, type Subject, subjectOf, titleOf, within } from "./subject.js";

const defaults = { model: "mlp", hidden: 256, channels: 8, batch: 32 };

export const command: Command = {
  name: "plot",
  operands: "graph [FILE]",
  most: 2,
  summary: `Draws the graph of what a model computes, as an SVG.
Without FILE: the network of \`tapir train mnist\`, or one with convolutions.
With a model.safetensors that \`tapir train mnist\` saved: that network.
With a module of your own (net.js): what it exports, either
  model, a Module;  examples = [input, target];  loss and optimizer for --step backward and train
  a function as default;  examples = its arguments;  --step backward is its gradient`,
  options: {
    model: { value: "NAME", help: `mlp, 784-n-10, or cnn, two convolutions and a linear layer (${defaults.model})`, parse: oneOf("mlp", "cnn") },
    step: {
      value: "NAME",
      help: "forward, backward (with the derivative) or train (with the optimizer too)",
      default: "forward",
      parse: oneOf("forward", "backward", "train"),
    },
    hidden: {
      value: "N",
      help: `units of the hidden layer of mlp (${defaults.hidden}), channels of the first convolution of cnn (${defaults.channels})`,
      parse: wholeNumber(1, 65_536),
    },
    batch: { value: "N", help: `images a step (${defaults.batch})`, parse: wholeNumber(1, 60_000) },
    out: { value: "FILE", help: "where the picture goes (graph.svg; graph.dot with --dot)" },
    dot: { help: "write Graphviz's language instead of a picture" },
    json: { help: "print one JSON object as the last line" },
    help: { help: "show this" },
  },
  examples: [
    "tapir plot graph --step train --out step.svg",
    "tapir plot graph --model cnn --step backward",
    "tapir plot graph out/mnist/model.safetensors --dot --out net.dot",
    "tapir plot graph ./net.js --step train",
  ],
};

interface Values {
  model?: "mlp" | "cnn";
  step: Step;
  hidden?: number;
  batch?: number;
  out?: string;
  dot?: boolean;
  json?: boolean;
}

export async function run(args: readonly string[]): Promise<void> {
  const { values, operands } = parse(command, args);
  const v = values as unknown as Values;
  const [what, file] = operands;
  if (what !== "graph") throw new ConfigError(`plot: expected graph; got ${what ?? "nothing"}; see tapir plot --help`);
  const { subject, graph } = await drawn(file, v);
  const out = v.out ?? (v.dot ? "graph.dot" : "graph.svg");
  const text = v.dot ? graph.toDot() : graph.toSVG({ title: titleOf(subject, v.step), names: subject.model?.namedParameters() ?? [] });
  await writeBytes("plot", out, [`${text}\n`]);
  const stats = graph.stats();
  result(v.json, { file: out, title: titleOf(subject, v.step), step: v.step, ...stats }, `${out}   ${titleOf(subject, v.step)}   ${showStats(stats)}`);
}

async function drawn(file: string | undefined, v: Values): Promise<{ subject: Subject; graph: Graph }> {
  if (file === undefined || file.endsWith(".safetensors")) {
    if (file !== undefined) refuse(file, v, ["model", "hidden"]);
    const subject = await ours(file, v);
    return { subject, graph: graphOf({ trace, gradient } as Library, subject, v.step) };
  }
  refuse(file, v, ["model", "hidden", "batch"]);
  const { subject, library } = await subjectOf(file);
  return { subject, graph: await within(file, () => graphOf(library, subject, v.step)) };
}

/** What the file decides cannot be an option. */
function refuse(file: string, v: Values, names: readonly (keyof Values)[]): void {
  const given = names.find((name) => v[name] !== undefined);
  if (given !== undefined) throw new ConfigError(`--${given}: expected none with ${file}, which decides it; got ${v[given]}`);
}

async function ours(file: string | undefined, v: Values): Promise<Subject> {
  const batch = v.batch ?? defaults.batch;
  let model: Module;
  let name: string;
  if (file === undefined && v.model === "cnn") {
    const channels = v.hidden ?? defaults.channels;
    model = new ConvolutionalNetwork(channels);
    name = `CNN, ${channels} and ${2 * channels} channels`;
  } else {
    const hidden = v.hidden ?? defaults.hidden;
    model = file === undefined ? network(PIXELS, hidden) : await loadNetwork(file, PIXELS);
    name = `MLP ${PIXELS}-${model.parameters()[1].size}-10`;
  }
  return {
    title: `${name}, batch ${batch}`,
    model: model as Model,
    loss: crossEntropy,
    optimizer: new Adam(model.parameters()),
    examples: [zeros([batch, PIXELS]), zeros([batch], { dtype: "int32" })],
  };
}
