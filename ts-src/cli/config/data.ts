// The data of a configuration: where they come from, how they are divided, and how batches are made of them.
import { dirname, resolve } from "node:path";
import type { Tensor } from "../../../bindings/tensor.js";
import { flip, noise, shift } from "../../data/augment.js";
import type { Batch, Transform } from "../../data/dataset.js";
import { fashionMnist } from "../../data/fashion-mnist.js";
import { imageFolder } from "../../data/image-folder.js";
import { iris } from "../../data/iris.js";
import { DataLoader } from "../../data/loader.js";
import { mnist } from "../../data/mnist.js";
import { counted, numberTensor } from "../../data/numbers.js";
import type { Examples } from "../../data/operations.js";
import { csv } from "../../data/table.js";
import { reshape } from "../../ops/shape.js";
import type { Measured } from "../report/mistakes.js";
import { type Entry, valuesOf } from "./entry.js";

const FIRST = 2; // examples that a model is tried on
const MEASURED_BATCH = 500; // examples a batch where nothing is trained

/** Examples, and the targets of all of them. */
interface Part {
  readonly examples: Examples;
  readonly targets: Tensor;
}

interface Source {
  readonly train: Part;
  /** What the source itself keeps apart for tests. */
  readonly test?: Part;
  /** Names of the classes, if they have any. */
  readonly classes?: readonly string[];
  readonly images: boolean;
  /** Rows and columns of an image where inputs are flat. */
  readonly size?: readonly [number, number];
}

interface SourceKind {
  readonly takes: readonly string[];
  /** `path` answers a path of the file as seen from its folder. */
  readonly load: (args: readonly never[], path: (given: unknown) => string) => Promise<Source>;
}

const labelled = (set: Examples & { readonly labels: Tensor }): Part => ({ examples: set, targets: set.labels });
const tabled = (set: Examples & { readonly targets: Tensor }): Part => ({ examples: set, targets: set.targets });

export const sourceTable: { readonly [name: string]: SourceKind } = {
  mnist: {
    takes: ["options"],
    async load([options = {}], path) {
      const { directory, ...rest } = options as { directory?: unknown };
      const { train, test } = await mnist({ ...rest, ...(directory !== undefined && { directory: path(directory) }) });
      return { train: labelled(train), test: labelled(test), images: true, size: [28, 28] };
    },
  },
  fashionMnist: {
    takes: ["options"],
    async load([options = {}], path) {
      const { path: folder, ...rest } = options as { path?: unknown };
      const { train, test, classes } = await fashionMnist({ ...rest, ...(folder !== undefined && { path: path(folder) }) });
      return { train: labelled(train), test: labelled(test), classes, images: true, size: [28, 28] };
    },
  },
  iris: {
    takes: [],
    async load() {
      const table = await iris();
      return { train: tabled(table), images: false, classes: table.classes };
    },
  },
  csv: {
    takes: ["path", "options"],
    async load([file, options], path) {
      const table = await csv(path(file), options);
      return { train: tabled(table), images: false, classes: table.classes };
    },
  },
  imageFolder: {
    takes: ["path", "options"],
    async load([folder, options], path) {
      const images = await imageFolder(path(folder), options);
      return { train: labelled(images), images: true, classes: images.classes };
    },
  },
};

interface AugmentationKind {
  readonly takes: readonly string[];
  readonly make: (args: readonly unknown[], defaults: { readonly seed: number; readonly size?: readonly [number, number] }) => Transform;
}

export const augmentationTable: { readonly [name: string]: AugmentationKind } = {
  shift: { takes: ["pixels", "options"], make: ([pixels, options], defaults) => shift(pixels as number, { ...defaults, ...(options as object) }) },
  flip: { takes: ["options"], make: ([options], defaults) => flip({ ...defaults, ...(options as object) }) },
  noise: { takes: ["deviation", "options"], make: ([deviation, options], { seed }) => noise(deviation as number, { seed, ...(options as object) }) },
};

export interface ConfiguredData {
  readonly training: DataLoader;
  /** Measured after each epoch. */
  readonly validation: DataLoader | undefined;
  /** What the model is measured on at the end: examples that were kept apart for it if there are any. */
  readonly measured: { readonly on: Measured; readonly loader: DataLoader };
  /** Whether examples are images. */
  readonly images: boolean;
  readonly targets: readonly { readonly name: string; readonly targets: Tensor }[];
  readonly classes: readonly string[] | undefined;
  /** The first examples, as training sees them; throws ConfigError with the place of what does not fit them. */
  readonly first: () => Batch;
  /** Where targets come from. */
  readonly entry: Entry;
}

const KEYS = ["source", "batchSize", "dropLast", "validation", "augmentation", "input"] as const;

/** Reads the data of a file; throws ConfigError, FormatError. */
export async function dataOf(given: Entry, file: string, seed: number): Promise<ConfiguredData> {
  const fields = given.fields(KEYS, ["source"]);
  const named = (fields.source as Entry).named("a source", sourceTable);
  const args = valuesOf(named, named.found.takes);
  const shape = fields.input?.items("sizes of an example").map((size) => size.whole(1));
  const batchSize = fields.batchSize?.whole(1) ?? 32;
  const dropLast = fields.dropLast?.flag() ?? false;
  const path = (text: unknown): string => (typeof text === "string" && text !== "" ? resolve(dirname(file), text) : named.entry.refuse("a path, a text"));
  const source = await named.entry.withinAsync(() => named.found.load(args as never[], path));
  const shaped = (examples: Examples): Examples => (shape === undefined ? examples : examples.map(([x, y]): Batch => [reshape(x, [x.shape[0], ...shape]), y]));

  const augment = fields.augmentation && transformOf(fields.augmentation, { seed, ...(shape === undefined && source.size && { size: source.size }) });
  const [part, rest] = divided(fields.validation, source, seed);
  const measured = (examples: Examples): DataLoader => new DataLoader(shaped(examples), { batchSize: MEASURED_BATCH });
  const test = source.test?.examples;
  const training = shaped(part);
  return {
    training: new DataLoader(training, { batchSize, dropLast, shuffle: true, seed, ...(augment && { transform: augment }) }),
    validation: rest === undefined && test === undefined ? undefined : measured((rest ?? test) as Examples),
    measured: { on: test !== undefined ? "test" : rest !== undefined ? "validation" : "training", loader: measured(test ?? rest ?? part) },
    images: source.images,
    targets: [{ name: "", targets: source.train.targets }, ...(source.test ? [{ name: " of the test examples", targets: source.test.targets }] : [])],
    classes: source.classes,
    first() {
      const numbers = counted(Math.min(FIRST, training.length));
      const batch = (fields.input ?? named.entry).within(() => training.take(numberTensor(numbers), 0));
      return augment === undefined ? batch : (fields.augmentation as Entry).within(() => augment(batch, { index: numbers, epoch: 0 }));
    },
    entry: named.entry,
  };
}

/** What is trained on, and what is taken of it for validation. */
function divided(share: Entry | undefined, { train, test }: Source, seed: number): [Examples, Examples | undefined] {
  if (share === undefined || share.value === 0) return [train.examples, undefined];
  const { value } = share;
  if (value === "test" && test !== undefined) return [train.examples, undefined];
  if (typeof value !== "number" || !(value > 0 && value < 1)) share.refuse(`a share of the examples from 0 to below 1${test ? ', or "test"' : ""}`);
  const [training, validation] = share.within(() => train.examples.split([1 - (value as number), value as number], { seed }));
  return [training, validation];
}

function transformOf(list: Entry, defaults: Parameters<AugmentationKind["make"]>[1]): Transform {
  const transforms = list.items("augmentations").map((item) => {
    const named = item.named("an augmentation", augmentationTable);
    const args = valuesOf(named, named.found.takes);
    return named.entry.within(() => named.found.make(args, defaults));
  });
  return (batch, place) => transforms.reduce((changed, transform) => transform(changed, place), batch);
}
