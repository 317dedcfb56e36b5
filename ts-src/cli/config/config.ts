// A configuration file as a training that is ready to run: everything in it was checked, and the model tried on a first batch.
import { basename } from "node:path";
import { configure } from "../../../bindings/configure.js";
import { ConfigError, FormatError } from "../../../bindings/errors.js";
import { scope } from "../../../bindings/lifetime.js";
import type { Tensor } from "../../../bindings/tensor.js";
import { readBytes } from "../../formats/files.js";
import { duplicateKey } from "../../formats/json.js";
import type { Sequential } from "../../layers/index.js";
import { manualSeed } from "../../ops/random.js";
import { Checkpointing, type CheckpointingOptions } from "../../train/checkpointing.js";
import { type ClippingOptions, checkedClipping } from "../../train/clipping.js";
import { EarlyStopping, type EarlyStoppingOptions } from "../../train/early-stopping.js";
import { SpikeGuard, type SpikeGuardOptions } from "../../train/guard.js";
import type { FitOptions } from "../../train/options.js";
import type { Metrics } from "../../train/scores.js";
import { type ConfiguredData, dataOf } from "./data.js";
import { Entry } from "./entry.js";
import { lossOf, metricsOf, triedLoss } from "./loss.js";
import { modelOf, tried } from "./model.js";
import { averageOf, optimizerOf, scheduleOf } from "./optimizer.js";

export const KEYS = [
  "data",
  "model",
  "loss",
  "optimizer",
  "schedule",
  "average",
  "epochs",
  "clip",
  "accumulate",
  "earlyStopping",
  "spikeGuard",
  "checkpoint",
  "metrics",
  "seed",
  "deterministic",
  "threads",
  "out",
] as const;

type Fields = ReturnType<typeof Entry.prototype.fields<(typeof KEYS)[number]>>;

/** What the command line decides before the file does. */
export interface Overrides {
  readonly epochs?: number;
  readonly threads?: number;
  readonly out?: string;
}

export interface Plan {
  readonly name: string;
  /** What stands in the file. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly out: string;
  readonly data: ConfiguredData;
  readonly model: Sequential;
  /** Of a batch of one example. */
  readonly inputShape: readonly number[];
  /** How many classes the model tells apart; undefined where it gives values. */
  readonly classes: number | undefined;
  /** For fit(), without what a run adds. */
  readonly options: Omit<FitOptions, "checkpoint">;
  /** undefined for none. */
  readonly checkpoint: Omit<CheckpointingOptions, "folder" | "resume"> | undefined;
}

/** The whole of a file; throws FormatError, ConfigError for what is no JSON object with known keys. */
async function fileEntry(path: string): Promise<Entry> {
  const name = basename(path);
  const text = new TextDecoder().decode(await readBytes("train", path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${name}: expected JSON; got ${(error as Error).message}`, { cause: error });
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw new ConfigError(`${name}: expected each key once; got ${JSON.stringify(twice)} twice`);
  return new Entry(name, value);
}

/** Reads a file and makes ready what it describes; throws ConfigError with the place of what cannot be, FormatError for data that cannot be read. */
export async function planOf(path: string, overrides: Overrides = {}): Promise<Plan> {
  const whole = await fileEntry(path);
  const fields = whole.fields(KEYS, ["data", "model", "loss", "optimizer"]);
  const json = whole.options();
  const name = basename(path).replace(/\.json$/i, "");

  const epochs = overrides.epochs ?? fields.epochs?.whole(1) ?? 1;
  const accumulate = fields.accumulate?.whole(1) ?? 1;
  const seed = fields.seed?.whole(0, 0xffffffff) ?? 0;
  const out = overrides.out ?? fields.out?.text() ?? `out/${name}`;
  configured(fields, overrides.threads);
  const loss = lossOf(fields.loss as Entry);
  const guards = guarded(fields);

  manualSeed(seed);
  const { model, layers } = modelOf(fields.model as Entry);
  const optimizer = optimizerOf(fields.optimizer as Entry, model.parameters());
  const average = fields.average && averageOf(fields.average, model.parameters());
  const data = await dataOf(fields.data as Entry, path, seed);
  const tested = scope(() => {
    const [x, y] = data.first();
    const output = tried(layers, x);
    if (loss.kind === "classes") checkLabels(data, fields.model as Entry, output, loss.ignored);
    triedLoss(loss.entry, loss.loss, output, y);
    return { output: output.shape, inputShape: [1, ...x.shape.slice(1)] };
  });
  const { inputShape } = tested;
  const classes = loss.kind === "classes" ? tested.output[1] : undefined;
  const metrics = metricsOf(fields.metrics, loss.kind, classes);
  const all = typeof loss.loss === "function" ? metrics : { ...loss.loss.trueLoss, ...metrics };
  const length = { epochs, stepsPerEpoch: Math.ceil(data.training.length / accumulate) };
  const schedule = fields.schedule && scheduleOf(fields.schedule, optimizer, length, ["loss", ...Object.keys(all)]);
  return {
    ...{ name, json, out, data, model, inputShape, classes },
    options: {
      ...{ loss: loss.loss, optimizer, epochs, accumulate, metrics },
      ...(data.validation && { validation: data.validation }),
      ...(schedule && { schedule }),
      ...(average && { average }),
      ...guards,
      ...(fields.earlyStopping && { earlyStopping: stopping(fields.earlyStopping, all) }),
    },
    checkpoint: checkpointing(fields.checkpoint, all),
  };
}

function configured({ threads, deterministic }: Fields, asked: number | undefined): void {
  // what the command line says was checked there
  if (asked !== undefined) configure({ threads: asked });
  else threads?.within(() => configure({ threads: threads.whole(1) }));
  if (deterministic !== undefined) configure({ deterministic: deterministic.flag() });
}

/** The options of fit() that are checked as fit() does, but with their place. */
function guarded({ clip, spikeGuard }: Fields): Pick<FitOptions, "clip" | "spikeGuard"> {
  const clipping = (clip && typeof clip.value !== "number" ? clip.options() : clip?.value) as number | ClippingOptions | undefined;
  const guard = spikeGuard?.options() as SpikeGuardOptions | undefined;
  clip?.within(() => checkedClipping(clipping as number | ClippingOptions));
  spikeGuard?.within(() => new SpikeGuard(guard as SpikeGuardOptions));
  return { ...(clipping !== undefined && { clip: clipping }), ...(guard && { spikeGuard: guard }) };
}

function stopping(given: Entry, metrics: Metrics): EarlyStoppingOptions {
  const options: EarlyStoppingOptions = given.options();
  given.within(() => new EarlyStopping(options, metrics));
  return options;
}

/** Checkpoints are written unless the file says false. */
function checkpointing(given: Entry | undefined, metrics: Metrics): Plan["checkpoint"] {
  if (given?.value === false) return undefined;
  const keys = ["every", "everySteps", "keepLast", "keepBest", "better"] as const;
  if (given !== undefined && given.value !== true) given.fields(keys);
  const options = given === undefined || given.value === true ? {} : given.options();
  given?.within(() => new Checkpointing({ ...options, folder: "checkpoints" }, metrics));
  return options;
}

/** Throws ConfigError for targets that are no classes of the model. */
function checkLabels({ entry, targets, classes }: ConfiguredData, model: Entry, output: Tensor, ignored: number | undefined): void {
  if (output.ndim !== 2) model.refuse("outputs [examples, classes] for this loss", `the shape [${output.shape}]`);
  const most = output.shape[1];
  for (const { name, targets: all } of targets) {
    if (all.dtype !== "int32") entry.refuse("class numbers, as the loss is one of classes", "numbers; set classes: true if each is a class");
    const labels = all.data();
    const odd = labels.findIndex((label) => (label < 0 || label >= most) && label !== ignored);
    if (odd < 0) continue;
    const label = labels[odd];
    const called = classes === undefined ? "" : ` (${classes[label]})`;
    entry.refuse(`labels from 0 to ${most - 1}, as the model gives ${most} values`, `${label}${called} at example ${odd}${name}`);
  }
}
