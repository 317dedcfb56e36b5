// Checkpoints: a tree of tensors, numbers and texts as one safetensors file. The tensors stand under their place in the tree, such as
// model.0.weight, so that any reader of the format finds them; what else there is stands as JSON in the header.
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";
import { duplicateKey } from "./json.js";
import { readTensors, writeTensors } from "./safetensors.js";

/** What a checkpoint may hold. */
export type CheckpointTree = Tensor | number | string | boolean | null | readonly CheckpointTree[] | { readonly [name: string]: CheckpointTree | undefined };

const KEY = "tapir.checkpoint";
/** Marks an object that stands for something else. */
const MARK = "$";
const DEEPEST = 64;

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value as JSON; its tensors go to `tensors`. */
function encoded(value: unknown, path: readonly string[], tensors: Map<string, Tensor>): unknown {
  const refuse = (got: string): never => {
    throw new ConfigError(
      `saveCheckpoint: expected tensors, numbers, texts, booleans, null, arrays and objects of them; got ${got} at ${path.join(".") || "the top"}`,
    );
  };
  if (path.length > DEEPEST) refuse(`more than ${DEEPEST} levels`);
  if (value instanceof Tensor) {
    let name = path.join(".") || "tensor";
    while (tensors.has(name) || name === "__metadata__") name += "_";
    tensors.set(name, value);
    return { [MARK]: "tensor", name };
  }
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { [MARK]: "number", text: Object.is(value, -0) ? "-0" : String(value) };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map((item, i) => encoded(item, [...path, String(i)], tensors));
  if (typeof value !== "object" || !isPlain(value)) return refuse(showValue(value));
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([name, item]) => [name, encoded(item, [...path, name], tensors)] as const);
  const made = Object.fromEntries(entries);
  return Object.hasOwn(made, MARK) ? { [MARK]: "object", entries } : made;
}

/** The value that JSON stands for. */
function decoded(json: unknown, tensors: Readonly<Record<string, Tensor>>, fail: (message: string) => never, depth = 0): CheckpointTree {
  if (depth > DEEPEST + 1) fail(`expected at most ${DEEPEST} levels; got more`);
  if (json === null || typeof json !== "object") return json as CheckpointTree;
  const inner = (item: unknown): CheckpointTree => decoded(item, tensors, fail, depth + 1);
  if (Array.isArray(json)) return json.map(inner);
  const marked = json as Record<string, unknown>;
  if (!Object.hasOwn(marked, MARK)) return Object.fromEntries(Object.entries(marked).map(([name, item]) => [name, inner(item)]));
  const { [MARK]: kind, name, text, entries } = marked;
  if (kind === "tensor" && typeof name === "string" && Object.hasOwn(tensors, name)) return tensors[name];
  if (kind === "number" && typeof text === "string" && ["NaN", "Infinity", "-Infinity", "-0"].includes(text)) return Number(text);
  if (kind === "object" && Array.isArray(entries) && entries.every((entry) => Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string"))
    return Object.fromEntries((entries as [string, unknown][]).map(([key, item]) => [key, inner(item)]));
  return fail(`expected a tensor of the file, a number or an object at a mark; got ${JSON.stringify(marked).slice(0, 80)}`);
}

/**
 * Writes a tree of tensors, numbers (NaN and infinities too), texts, booleans, null, arrays and plain objects, such as
 * { model: model.stateDict(), optimizer: optimizer.stateDict(), epoch: 3 }. The file appears whole or not at all.
 * Throws ConfigError for what it cannot hold, DisposedError, FormatError if it cannot be written.
 */
export async function saveCheckpoint(path: string, tree: CheckpointTree): Promise<void> {
  const tensors = new Map<string, Tensor>();
  const json = encoded(tree, [], tensors);
  await writeTensors("saveCheckpoint", path, Object.fromEntries(tensors), { [KEY]: JSON.stringify({ version: 1, tree: json }) });
}

/** The tree of saveCheckpoint(), with new tensors. Throws FormatError for a file that is missing, cut, or no checkpoint. */
export async function loadCheckpoint(path: string): Promise<CheckpointTree> {
  const fail = (message: string): never => {
    for (const t of Object.values(tensors)) t.dispose();
    throw new FormatError(`loadCheckpoint: ${message} in ${path}`);
  };
  const { tensors, metadata } = await readTensors("loadCheckpoint", path);
  if (!Object.hasOwn(metadata, KEY)) fail("expected a checkpoint, as saveCheckpoint() writes; got a safetensors file without one");
  let parsed: { version?: unknown; tree?: unknown } | null = null;
  try {
    parsed = JSON.parse(metadata[KEY]);
  } catch (error) {
    fail(`expected JSON; got ${(error as Error).message}`);
  }
  if (parsed === null || typeof parsed !== "object" || parsed.version !== 1) fail("expected a checkpoint of version 1; got another");
  const twice = duplicateKey(metadata[KEY]);
  if (twice !== undefined) fail(`expected each name once; got ${twice} twice`);
  return decoded(parsed?.tree, tensors, fail);
}
