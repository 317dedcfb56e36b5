// What `tapir plot graph` draws: a model with its loss and optimizer, or a function; ours, or of a user's module.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Graph } from "../graph/graph.js";
import type { Tree } from "../ops/tree.js";

export type Step = "forward" | "backward" | "train";

/** What is asked of a tapir: this one, or the one that a user's module imports, whose tensors are of another class. */
export interface Library {
  trace(f: (...xs: never[]) => Tree, ...examples: Tree[]): Graph;
  gradient(graph: Graph, options: { wrt: number[] }): Graph;
}

export interface Model {
  forward(x: Tensor): Tensor;
  namedParameters(): [string, Tensor][];
}

export interface Subject {
  title: string;
  /** Either a model, or a function of the examples. */
  model?: Model;
  loss?: (output: Tensor, target: Tensor) => Tensor;
  optimizer?: { step(): void };
  f?: (...xs: Tree[]) => Tree;
  /** Of a model the input, and the target of the loss. */
  examples: Tree[];
}

const does: { readonly [step in Step]: string } = { forward: "forward", backward: "forward and derivative", train: "training step" };

export function titleOf(subject: Subject, step: Step): string {
  return `${subject.title}: ${does[step]}`;
}

export function graphOf({ trace, gradient }: Library, subject: Subject, step: Step): Graph {
  const { model, loss, optimizer, f, examples } = subject;
  if (f !== undefined) {
    if (step === "train")
      throw new ConfigError("--step train: expected a module with model, loss and optimizer; got a function; if it trains, --step forward draws all of it");
    const graph = trace(f, ...examples);
    if (step === "forward") return graph;
    const wrt = examples.flatMap((example, i) => (/^float/.test((example as Partial<Tensor>)?.dtype ?? "float") ? [i] : []));
    return gradient(graph, { wrt });
  }
  const { forward, namedParameters } = model as Model;
  const run = (x: Tensor): Tensor => forward.call(model, x);
  if (step === "forward") return trace(run, examples[0]);
  const [missing] = Object.entries({ loss, ...(step === "train" && { optimizer }) }).find(([, value]) => value === undefined) ?? [];
  if (missing !== undefined) throw new ConfigError(`--step ${step}: expected a module that exports ${missing} too; got one without`);
  if (examples.length !== 2) throw new ConfigError(`--step ${step}: expected examples [input, target]; got ${examples.length} of them`);
  const parameters = namedParameters.call(model).map(([, p]) => p);
  return trace(
    (x: Tensor, y: Tensor): Tree => {
      const value = (loss as NonNullable<typeof loss>)(run(x), y);
      value.backward();
      if (step === "backward") return [value, ...parameters.flatMap((p) => p.grad ?? [])];
      optimizer?.step();
      return value;
    },
    ...examples,
  );
}

/** What a user's module exports, and the tapir that it imports; throws ConfigError, FormatError with the file's name. */
export async function subjectOf(file: string): Promise<{ subject: Subject; library: Library }> {
  const path = resolve(file);
  if (!existsSync(path)) throw new FormatError(`plot: expected a module or a model file; there is none at ${file}`);
  const own = await within(file, () => import(pathToFileURL(path).href) as Promise<Record<string, unknown>>);
  const library = (await import(libraryOf(path))) as Library;
  const { model = own.default, loss, optimizer } = own;
  const examples = typeof own.examples === "function" ? await within(file, own.examples as () => unknown) : own.examples;
  const title = basename(file);
  if (!Array.isArray(examples)) throw wrong(file, "examples, an array of arguments or a function that makes one", examples);
  if (typeof (model as Partial<Model> | undefined)?.forward === "function" && typeof (model as Partial<Model>).namedParameters === "function") {
    if (loss !== undefined && typeof loss !== "function") throw wrong(file, "loss, a function", loss);
    if (optimizer !== undefined && typeof (optimizer as Partial<Subject["optimizer"]>)?.step !== "function")
      throw wrong(file, "optimizer, one of tapir's", optimizer);
    return { subject: { title, model, loss, optimizer, examples } as Subject, library };
  }
  if (typeof own.default !== "function") throw wrong(file, "a function as default, or model, a Module", own.default ?? own.model);
  return { subject: { title, f: own.default as Subject["f"], examples }, library };
}

function wrong(file: string, expected: string, got: unknown): ConfigError {
  return new ConfigError(`plot: expected ${file} to export ${expected}; got ${showValue(got)}; see tapir plot --help`);
}

/** Runs what a user wrote; its errors are told in one line with the file's name. */
export async function within<T>(file: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // one of ours names what to do; those of the module's own tapir are of another class
    if (error instanceof ConfigError) throw error;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    throw new ConfigError(`plot: expected ${file} to run; got ${name}: ${message.split("\n")[0]}`, { cause: error });
  }
}

function libraryOf(path: string): string {
  try {
    return pathToFileURL(createRequire(path).resolve("tapir")).href;
  } catch (error) {
    // it imports tapir by a path, or none; then the one of this command is meant
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    return new URL("./index.js", import.meta.url).href;
  }
}
