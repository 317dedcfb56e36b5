// Logs of a training: a row or a line of JSON for each epoch, added to a file while training runs.
import { ConfigError } from "../../bindings/errors.js";
import { appendText, builtin, readBytes, writeBytes } from "../formats/files.js";
import type { Beginning, EpochRecord, History, SkippedStep } from "./history.js";
import type { Callback } from "./options.js";

/** How a log is written; a line is what stands before "\n". */
interface Form {
  readonly name: string;
  /** The line that a file begins with, if any. */
  header(beginning: Beginning): string | undefined;
  epoch(record: EpochRecord, beginning: Beginning): string;
  /** undefined where steps that were left out are not told. */
  skipped(step: SkippedStep): string | undefined;
  /** The epoch of a line; undefined for a line that is none of such a log. */
  epochOf(line: string): number | undefined;
  /** Whether a text may be the begin of a line, which a process that was killed has left. */
  torn(text: string, header: string | undefined): boolean;
}

/** A field of a row (RFC 4180): in quotes where it holds what separates fields or rows. */
function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvForm: Form = {
  name: "csvLog",
  header: ({ scores, validated }) => {
    const columns = ["training", ...(validated ? ["validation"] : [])].flatMap((part) => scores.map((score) => `${part}.${score}`));
    return ["epoch", ...columns, "learningRate", "seconds"].map(field).join(",");
  },
  epoch: ({ epoch, training, validation, learningRate, seconds }, { scores, validated }) => {
    const parts = validated ? [training, validation] : [training];
    const values = [epoch, ...parts.flatMap((part) => scores.map((score) => part?.[score])), learningRate, seconds];
    return values.map((value) => (value === undefined ? "" : String(value))).join(",");
  },
  skipped: () => undefined,
  epochOf: (line) => {
    const found = /^(\d+),/.exec(line);
    return found === null ? undefined : Number(found[1]);
  },
  torn: (text, header) => header?.startsWith(text) === true || /^\d+(,[\d.e+-]*|,NaN|,-?Infinity)*$/.test(text),
};

const jsonForm: Form = {
  name: "jsonLog",
  header: () => undefined,
  epoch: ({ epoch, training, validation, learningRate, seconds }) => JSON.stringify({ epoch, training, validation, learningRate, seconds }),
  skipped: ({ epoch, step, reason }) => JSON.stringify({ epoch, step, skipped: reason }),
  epochOf: (line) => {
    try {
      const { epoch } = JSON.parse(line) as { epoch?: unknown };
      return Number.isInteger(epoch) ? (epoch as number) : undefined;
    } catch {
      // what is no JSON is no line of such a log either
      return undefined;
    }
  },
  torn: (text) => '{"epoch":'.startsWith(text.slice(0, 9)),
};

class Log implements Callback {
  private readonly form: Form;
  private readonly path: string;
  private beginning: Beginning | undefined;
  /** Steps left out that the log tells. */
  private told = 0;

  constructor(form: Form, path: string) {
    if (typeof path !== "string" || path === "") throw new ConfigError(`${form.name}: expected the path of a file; got ${JSON.stringify(path)}`);
    this.form = form;
    this.path = path;
  }

  async onBegin(beginning: Beginning, history: History): Promise<void> {
    const { form, path } = this;
    const header = form.header(beginning);
    const { lines: before, rest } = await this.found();
    if (rest !== "" && !form.torn(rest, header))
      throw new ConfigError(`${form.name}: expected a log of epochs; got another text, ${JSON.stringify(rest.slice(0, 40))}, in ${path}; give another path`);
    if (before.length > 0) {
      if (header !== undefined && before[0] !== header)
        throw new ConfigError(`${form.name}: expected the columns ${header} of this training; got ${before[0].slice(0, 100)} in ${path}; give another path`);
      const odd = before.findIndex((line, i) => !(i === 0 && header !== undefined) && form.epochOf(line) === undefined);
      if (odd >= 0) throw new ConfigError(`${form.name}: expected a log of epochs; got another text at line ${odd + 1} of ${path}; give another path`);
    }
    const kept = [...before];
    const resumed = history.losses.length > 0;
    // what a training that was killed wrote after its last checkpoint is done over
    while (resumed && kept.length > (header === undefined ? 0 : 1) && (form.epochOf(kept[kept.length - 1]) as number) > history.epochs.length) kept.pop();
    if (kept.length === 0 && header !== undefined) kept.push(header);
    await writeBytes(form.name, path, [kept.map((line) => `${line}\n`).join("")]);
    this.beginning = beginning;
    this.told = history.skipped.filter(({ epoch }) => epoch <= history.epochs.length).length;
  }

  /** The whole lines of the file, and what stands after the last. */
  private async found(): Promise<{ lines: string[]; rest: string }> {
    const { existsSync } = await builtin("node:fs");
    if (!existsSync(this.path)) return { lines: [], rest: "" };
    const lines = new TextDecoder().decode(await readBytes(this.form.name, this.path)).split("\n");
    return { rest: lines.pop() as string, lines };
  }

  async onEpochEnd(_progress: unknown, { epochs, skipped }: History): Promise<void> {
    const { form } = this;
    const steps = skipped.slice(this.told).flatMap((step) => form.skipped(step) ?? []);
    const lines = [...steps, form.epoch(epochs[epochs.length - 1], this.beginning as Beginning)];
    await appendText(form.name, this.path, lines.map((line) => `${line}\n`).join(""));
    this.told = skipped.length;
  }
}

/**
 * A callback of fit() that writes a row of comma-separated values for each epoch: epoch, scores of training and validation, learning rate
 * and seconds. A file with the same columns is gone on with: a training that goes on from a checkpoint replaces the rows of epochs that it
 * does over. Throws ConfigError for a file of other columns, FormatError if it cannot be written; both before the first step.
 */
export function csvLog(path: string): Callback {
  return new Log(csvForm, path);
}

/**
 * A callback of fit() that writes a line of JSON for each epoch, { epoch, training, validation, learningRate, seconds }, and one for each
 * step that was left out, { epoch, step, skipped: reason }. A file of such lines is gone on with, as by csvLog(). Throws ConfigError for
 * a file of something else, FormatError if it cannot be written; both before the first step.
 */
export function jsonLog(path: string): Callback {
  return new Log(jsonForm, path);
}
