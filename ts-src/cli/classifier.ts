// The network that the commands train and measure on MNIST.
import { createHash } from "node:crypto";
import { FormatError } from "../../bindings/errors.js";
import type { ImageDataset } from "../data/dataset.js";
import { DataLoader } from "../data/loader.js";
import { loadSafetensors } from "../formats/safetensors.js";
import { Linear, type Module, ReLU, Sequential, type StateDict } from "../layers/index.js";

export const CLASSES = 10;
const TEST_BATCH = 500;

/** inputs -> hidden -> classes, with ReLU between. */
export function network(inputs: number, hidden: number): Module {
  return new Sequential(new Linear(inputs, hidden), new ReLU(), new Linear(hidden, CLASSES));
}

/** The network of a model file, whatever its hidden size; throws FormatError if the file holds another one. */
export async function loadNetwork(path: string, inputs: number): Promise<Module> {
  const state = await loadSafetensors(path);
  const first = state["0.weight"];
  const hidden = first?.ndim === 2 ? first.shape[0] : 0;
  const expected: Record<string, string> = {
    "0.weight": `${hidden},${inputs}`,
    "0.bias": `${hidden}`,
    "2.weight": `${CLASSES},${hidden}`,
    "2.bias": `${CLASSES}`,
  };
  const names = Object.keys(state);
  if (hidden === 0 || names.length !== 4 || names.some((name) => String(state[name].shape) !== expected[name] || state[name].dtype !== "float32")) {
    const got = names.map((name) => `${name} [${state[name].shape}]`).join(", ");
    throw new FormatError(`model: expected the float32 tensors of a ${inputs}-n-${CLASSES} network; got ${got || "none"} in ${path}`);
  }
  const model = network(inputs, hidden);
  model.loadStateDict(state);
  for (const t of Object.values(state)) t.dispose();
  return model;
}

/** SHA-256 of the weights' bytes, in the order of stateDict(). */
export function digest(state: StateDict): string {
  const hash = createHash("sha256");
  for (const t of Object.values(state)) hash.update(new Uint8Array(t.data().buffer));
  return hash.digest("hex");
}

export function testLoader(dataset: ImageDataset): DataLoader {
  return new DataLoader(dataset, { batchSize: TEST_BATCH });
}
