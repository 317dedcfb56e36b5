// Images with class numbers in IDX files, as MNIST comes and what follows it.
import { FormatError } from "../../bindings/errors.js";
import { builtin, readBytes } from "../formats/files.js";
import { parseIdx } from "../formats/idx.js";
import { fromBytes, tensor } from "../ops/create.js";
import { ImageDataset } from "./dataset.js";

const CLASSES = 10;
const MOST_BYTES = 2 ** 30; // that a compressed file may unpack to

interface Pixels {
  /** Mean and deviation of the training images, in units of 255. */
  readonly mean: number;
  readonly deviation: number;
}

/** Training and test images of a folder with the four files, compressed (.gz) or not. */
export async function idxImages(what: string, directory: string, pixels: Pixels): Promise<{ train: ImageDataset; test: ImageDataset }> {
  const [train, test] = await Promise.all([part(what, directory, "train", pixels), part(what, directory, "t10k", pixels)]);
  return { train, test };
}

async function part(what: string, directory: string, prefix: "train" | "t10k", { mean, deviation }: Pixels): Promise<ImageDataset> {
  const [images, labels] = await Promise.all([
    idxFile(what, directory, `${prefix}-images-idx3-ubyte`),
    idxFile(what, directory, `${prefix}-labels-idx1-ubyte`),
  ]);
  const { x, y } = imagesOf(what, images, labels);
  return new ImageDataset(fromBytes(x.data, "uint8", [x.shape[0], x.shape[1] * x.shape[2]]), tensor(Int32Array.from(y.data)), mean, deviation);
}

interface File {
  readonly path: string;
  readonly bytes: Uint8Array;
}

async function idxFile(what: string, directory: string, name: string): Promise<File> {
  const { existsSync } = await builtin("node:fs");
  const { join } = await builtin("node:path");
  const [plain, compressed] = [join(directory, name), join(directory, `${name}.gz`)];
  if (existsSync(plain) || !existsSync(compressed)) return { path: plain, bytes: await readBytes(what, plain) };
  return { path: compressed, bytes: await unzipped(what, compressed) };
}

async function unzipped(what: string, path: string): Promise<Uint8Array> {
  const bytes = await readBytes(what, path);
  const { gunzipSync } = await builtin("node:zlib");
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new FormatError(`${what}: expected gzip data of at most ${MOST_BYTES} bytes; got ${(error as Error).message} in ${path}`, { cause: error });
  }
}

type Idx = ReturnType<typeof parseIdx>;

/** Images [n, rows, cols] and their labels; throws FormatError where they do not fit. */
export function imagesOf(what: string, images: File, labels: File): { x: Idx; y: Idx } {
  const x = parseIdx(images.bytes, images.path);
  const y = parseIdx(labels.bytes, labels.path);
  if (x.shape.length !== 3 || x.shape.includes(0)) throw new FormatError(`${what}: expected images [n, rows, cols]; got [${x.shape}] in ${images.path}`);
  if (y.shape.length !== 1 || y.shape[0] !== x.shape[0]) {
    throw new FormatError(`${what}: expected ${x.shape[0]} labels, one an image; got [${y.shape}] in ${labels.path}`);
  }
  const bad = y.data.findIndex((label) => label >= CLASSES);
  if (bad >= 0) throw new FormatError(`${what}: expected labels from 0 to ${CLASSES - 1}; got ${y.data[bad]} at ${bad} in ${labels.path}`);
  return { x, y };
}
