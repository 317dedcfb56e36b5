// Text, character by character: an LSTM and a small transformer learn to guess the next character of the fortunes of Debian's package fortunes, or of
// another file, and then write some of their own. The perplexity says among how many equally likely characters a guess is as hard.
//
//   node examples/text/main.mjs [--model both|lstm|transformer] [--text FILE] [--quick] [--out DIR]
//
// --quick takes 20 steps of small networks.
import "../../dist/fast.js";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crossEntropy, data, manualSeed, noGrad, optim, permutation, rand, schedules, tensor, train } from "../../dist/index.js";
import { options } from "../options.mjs";
import { linePanel, savePlot } from "../plot.mjs";
import { CharacterLstm, CharacterTransformer } from "./models.mjs";

const given = options(import.meta.url, {
  model: { type: "string", default: "both", choices: ["both", "lstm", "transformer"] },
  text: { type: "string" },
});
const FOLDER = "/usr/share/games/fortunes"; // of Debian's package fortunes
const FILES = ["computers", "cookie", "definitions", "fortunes", "linux", "literature", "miscellaneous", "platitudes", "science", "wisdom", "work"];
const LENGTH = 64; // characters that are read at once
const BATCH = 32;
const steps = given.quick ? 20 : 500;
const parts = given.quick ? 2 : 10; // after each of them the perplexity is measured
const NETWORKS = {
  lstm: { name: "LSTM", rate: 0.01, make: (vocabulary) => new CharacterLstm(vocabulary, given.quick ? 32 : 128) },
  transformer: { name: "transformer", rate: 0.003, make: (vocabulary) => new CharacterTransformer(vocabulary, given.quick ? 16 : 64, LENGTH) },
};

function read() {
  const paths = given.text === undefined ? FILES.map((file) => join(FOLDER, file)) : [given.text];
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) {
    const help = given.text === undefined ? "install Debian's package fortunes, or pass --text FILE" : "pass another --text";
    console.error(`text: expected the file ${missing}; there is none; ${help}`);
    process.exit(1);
  }
  // letters that are struck over one another keep the last; what is no printable ASCII is left out
  return paths
    .map((path) => readFileSync(path, "utf8"))
    .join("%\n")
    .replace(/.[\b]/g, "")
    .replace(/\t/g, "  ")
    .replace(/[^\n -~]/g, "");
}

/** Pieces of the text with the same one character on, in random order, those of an epoch after those of the epoch before. */
class Pieces {
  constructor(codes, length) {
    this.codes = codes;
    this.length = length;
    this.order = permutation(Math.floor((codes.length - 1) / LENGTH)).data();
  }

  take(index, epoch = 0) {
    const numbers = Array.from(index.data(), (i) => this.order[(epoch * this.length + i) % this.order.length]);
    const [x, y] = [0, 1].map((on) => {
      const rows = new Int32Array(numbers.length * LENGTH);
      for (const [row, number] of numbers.entries()) rows.set(this.codes.subarray(number * LENGTH + on, (number + 1) * LENGTH + on), row * LENGTH);
      return tensor(rows).reshape([numbers.length, LENGTH]);
    });
    return [x, y];
  }
}

const text = read();
const characters = [...new Set(text)].sort();
const codeOf = new Map(characters.map((character, code) => [character, code]));
const codes = Int32Array.from(text, (character) => codeOf.get(character));
const kept = Math.floor(0.95 * codes.length);
manualSeed(0);
const batches = { batchSize: BATCH, dropLast: true };
const training = new Pieces(codes.subarray(0, kept), (steps / parts) * BATCH);
const held = new Pieces(codes.subarray(kept), 8 * BATCH);
console.log(`${text.length.toLocaleString("en-US")} characters, ${characters.length} kinds`);

async function trained({ make, rate }) {
  manualSeed(0);
  const model = make(characters.length);
  const optimizer = new optim.Adam(model.parameters());
  const history = await train.fit(model, new data.DataLoader(training, batches), {
    loss: (logits, y) => crossEntropy(logits, y.reshape([-1])),
    optimizer,
    epochs: parts,
    clip: 1,
    schedule: { schedule: new schedules.OneCycleLR(optimizer, { maxLr: rate, totalSteps: steps }), per: "step" },
    metrics: { perplexity: train.perplexity },
    validation: new data.DataLoader(held, batches),
  });
  return { model, history };
}

/** Text that a model writes after `start`: each character drawn by its probability, sharpened by a temperature. */
function written(model, start, count, temperature = 0.8) {
  model.eval();
  const read = Array.from(start, (character) => codeOf.get(character) ?? 0);
  for (let i = 0; i < count; i++) {
    const context = read.slice(-LENGTH);
    const [reached, drawn] = noGrad(() => {
      const logits = model.forward(tensor(Int32Array.from(context)).reshape([1, -1])).slice([context.length - 1, null]);
      return [logits.div(temperature).softmax({ axis: 1 }).cumsum({ axis: 1 }).data(), rand([1]).item()];
    });
    read.push(reached.findIndex((sum) => sum > drawn * reached.at(-1)));
  }
  return read.map((code) => characters[code]).join("");
}

const points = [];
for (const key of given.model === "both" ? Object.keys(NETWORKS) : [given.model]) {
  const { name } = NETWORKS[key];
  const { model, history } = await trained(NETWORKS[key]);
  const perplexities = history.epochs.map((epoch) => epoch.validation.perplexity);
  for (const [i, y] of perplexities.entries()) points.push(...["line", "dot"].map((kind) => ({ series: name, x: ((i + 1) * steps) / parts, y, kind })));
  console.log(
    `\n${name}: perplexity ${perplexities[0].toFixed(1)} after ${steps / parts} steps, ${perplexities.at(-1).toFixed(1)} after ${steps}   ${history.seconds.toFixed(0)} s\n`,
  );
  console.log(written(model, "\n%\n", given.quick ? 80 : 400).slice(3));
}
const plot = given.place("text.svg");
await savePlot(plot, {
  title: "Characters of fortunes",
  subtitle: `on text that was held back; ${characters.length} for one who knows nothing`,
  panels: [linePanel({ title: "Perplexity", x: "step", y: "characters", points, scaleY: "log", domainX: [0, steps], domainY: [4, 100], width: 460 })],
});
console.log(`\nplot ${plot}`);
