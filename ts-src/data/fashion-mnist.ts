// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 60,000 and 10,000 images of 28 x 28 bytes with their kind of clothing.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { builtin } from "../formats/files.js";
import { checkedOptions } from "../ops/checks.js";
import type { ImageDataset } from "./dataset.js";
import { idxImages } from "./idx-images.js";

const PIXELS = { mean: 0.286, deviation: 0.353 };
const CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"] as const;
const FOLDER = "/usr/share/datasets/fashion-mnist"; // of Debian's package dataset-fashion-mnist
const VARIABLE = "TAPIR_FASHION_MNIST";

export interface FashionMnistOptions {
  /** Folder of the four IDX files, compressed (.gz) or not; by default TAPIR_FASHION_MNIST, or that of Debian's package dataset-fashion-mnist. */
  path?: string;
}

export interface FashionMnist {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
  /** Names of the classes 0 to 9. */
  readonly classes: readonly string[];
}

/**
 * The training and test images as datasets of x float32 [n, 784], normalized to mean 0 and deviation 1, and y int32 [n].
 * Throws ConfigError if the folder is not there, FormatError for a file that is missing, cut or corrupt.
 */
export async function fashionMnist(options: FashionMnistOptions = {}): Promise<FashionMnist> {
  checkedOptions("fashionMnist", options, ["path"]);
  const { path = globalThis.process?.env[VARIABLE] || FOLDER } = options;
  if (typeof path !== "string") throw new ConfigError(`fashionMnist: expected path, that of a folder; got ${showValue(path)}`);
  const { existsSync } = await builtin("node:fs");
  if (!existsSync(path)) {
    throw new ConfigError(
      `fashionMnist: expected a folder with the four IDX files; there is none at ${path}; install Debian's package dataset-fashion-mnist, or pass { path } or set ${VARIABLE}`,
    );
  }
  return { ...(await idxImages("fashionMnist", path, PIXELS)), classes: CLASSES };
}
