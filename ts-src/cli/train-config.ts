// tapir train FILE.json: trains what a configuration file describes, with logs, checkpoints and a report.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../bindings/errors.js";
import { summary } from "../layers/index.js";
import { WRITTEN } from "../train/checkpointing.js";
import { evaluate } from "../train/evaluate.js";
import { fit } from "../train/fit.js";
import { csvLog, jsonLog } from "../train/logs.js";
import { answersOf, PIXELS } from "./answers.js";
import { type Overrides, type Plan, planOf } from "./config/config.js";
import { finish } from "./finish.js";
import { makeFolder } from "./folder.js";
import { weightsOf } from "./report/weights.js";

interface Values extends Overrides {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

const MOST_CLASSES = 50; // of a confusion matrix that can be read

function pathsIn(out: string): Record<"csv" | "jsonl" | "checkpoints", string> {
  return { csv: join(out, "history.csv"), jsonl: join(out, "history.jsonl"), checkpoints: join(out, "checkpoints") };
}

/** Clears what an earlier run has left where this one begins anew. Throws ConfigError where that was not asked for. */
function prepareFolder({ csv, jsonl, checkpoints }: ReturnType<typeof pathsIn>, { resume, overwrite }: Values): void {
  const saved = existsSync(checkpoints) ? readdirSync(checkpoints).filter((name) => WRITTEN.test(name)) : [];
  if (resume && saved.length > 0) return;
  const logs = [csv, jsonl].filter((path) => existsSync(path));
  if (!resume && !overwrite && saved.length + logs.length > 0) {
    const found = saved.length > 0 ? checkpoints : logs[0];
    throw new ConfigError(
      `train: expected a folder without an earlier run; got ${found}; --resume goes on with it, --overwrite begins anew, or give another --out`,
    );
  }
  for (const path of [...logs, ...saved.map((name) => join(checkpoints, name))]) rmSync(path);
}

export async function trainConfig(file: string, values: Values, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  if (values.resume && values.overwrite) throw new ConfigError("train: expected one of --resume and --overwrite; got both");
  const plan = await planOf(file, values);
  if (values.resume && plan.checkpoint === undefined) throw new ConfigError(`--resume: expected checkpoints to go on from; got "checkpoint": false in ${file}`);
  const { model, data, out, options } = plan;
  const paths = pathsIn(out);
  makeFolder(out);
  prepareFolder(paths, values);

  const table = summary(model, plan.inputShape);
  if (process.stdout.isTTY) process.stdout.write(`${table}\n\n`);
  const before = weightsOf(model.namedParameters());
  const history = await fit(model, data.training, {
    ...options,
    signal,
    callbacks: [csvLog(paths.csv), jsonLog(paths.jsonl)],
    ...(plan.checkpoint && { checkpoint: { ...plan.checkpoint, folder: paths.checkpoints, resume: values.resume ?? false } }),
  });
  // the average is what was measured after each epoch; the best epoch, if the model was put back to it, is one of the average already
  const restored = history.bestEpoch !== undefined && options.earlyStopping?.restoreBest !== false;
  if (options.average !== undefined && !restored) options.average.copyTo();
  const { on, loader } = data.measured;
  // of the model as it is, which early stopping may have put back to its best epoch
  const scores = await evaluate(model, loader, { loss: options.loss, metrics: options.metrics, signal, progress: true });
  const answers = plan.classes !== undefined && plan.classes <= MOST_CLASSES ? answersOf(model, loader, plan.classes) : undefined;
  const isImage = data.images && plan.inputShape.reduce((n, size) => n * size, 1) === PIXELS;
  await finish({
    title: plan.name,
    settings: settingsOf(plan, values),
    ...{ out, model, before, history, scores, on, answers, started },
    summary: table,
    shows: isImage,
    classes: data.classes,
    json: values.json,
    more: { measured: on, scores, log: paths.csv },
  });
}

/** A value of the file in words: Adam (lr 0.002), 1 x 28 x 28, keepLast 2. */
function described(value: unknown): string {
  if (Array.isArray(value)) return value.map(described).join(value.every((item) => typeof item === "number") ? " x " : ", ");
  if (value === null || typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([name, inner]) => {
      const text = described(inner);
      return text === "" ? name : inner !== null && typeof inner === "object" ? `${name} (${text})` : `${name} ${text}`;
    })
    .join(", ");
}

/** The keys of the file, those of its data one by one, and what the command line decided; the model has a place of its own. */
function settingsOf({ json, out }: Plan, { epochs, threads }: Values): [string, string][] {
  const { data, model: _model, ...rest } = json;
  const all = { ...(data as object), ...rest, ...(epochs !== undefined && { epochs }), ...(threads !== undefined && { threads }), out };
  return Object.entries(all).map(([name, value]) => [name, described(value)]);
}
