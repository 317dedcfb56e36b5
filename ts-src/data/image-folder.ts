// PNG images in folders, one folder a class.
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { keep } from "../../bindings/lifetime.js";
import { view } from "../../bindings/memory.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import type { Refuse } from "../formats/elements.js";
import { builtin, readBytes, reason } from "../formats/files.js";
import { packaged } from "../formats/packages.js";
import { type Picture, parsePng } from "../formats/png.js";
import { checkedOptions } from "../ops/checks.js";
import { tensor, zeros } from "../ops/create.js";
import { takeRows, takeRowsScaled } from "../ops/rows.js";
import type { Batch } from "./dataset.js";
import { Examples } from "./operations.js";

export interface ImageFolderOptions {
  /** Names of the class folders in the order of their numbers; by default those that are there, sorted. */
  classes?: readonly string[];
}

/** Images with the numbers of their folders; a batch has x float32 [n, channels, rows, cols] in 0..1 and y int32 [n]. */
export class ImageFolder extends Examples {
  readonly length: number;
  /** uint8 [N, channels, rows, cols], or float32 in 0..1 where the files have 16 bits. */
  readonly images: Tensor;
  /** int32 [N]. */
  readonly labels: Tensor;
  /** Names of the classes in the order of their numbers. */
  readonly classes: readonly string[];
  /** Paths of the images. */
  readonly files: readonly string[];

  constructor(images: Tensor, labels: Tensor, classes: readonly string[], files: readonly string[]) {
    super();
    this.length = files.length;
    this.images = images;
    this.labels = labels;
    this.classes = classes;
    this.files = files;
  }

  take(index: Tensor): Batch {
    const x = this.images.dtype === "uint8" ? takeRowsScaled(this.images, index, 1 / 255, 0) : takeRows(this.images, index);
    return [x, takeRows(this.labels, index)];
  }
}

/**
 * The PNG images of the folders in `path`, one folder a class, sorted by name; files beside the folders and hidden ones are not looked at.
 * Grey has 1 channel, grey with alpha 2, RGB 3, RGBA 4. Needs the package fast-png. Throws ConfigError for classes that are not there,
 * FormatError that names the file if one is no PNG image, or of another size, number of channels or depth than the first.
 */
export async function imageFolder(path: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { classes: asked } = checkedOptions("imageFolder", options, ["classes"]);
  if (
    asked !== undefined &&
    !(Array.isArray(asked) && asked.length > 0 && asked.every((name) => typeof name === "string") && new Set(asked).size === asked.length)
  ) {
    throw new ConfigError(`imageFolder: expected classes, different names of folders; got ${showValue(asked)}`);
  }
  if (typeof path !== "string" || path === "") throw new ConfigError(`imageFolder: expected the path of a folder; got ${showValue(path)}`);
  const fastPng = await packaged("imageFolder", "fast-png");
  const { join } = await builtin("node:path");
  const found = (await entries(path)).filter((entry) => entry.folder).map((entry) => entry.name);
  const classes = asked ?? found;
  const odd = [...classes, ...found].find((name) => !found.includes(name) || !classes.includes(name));
  if (odd !== undefined)
    throw new ConfigError(`imageFolder: expected the folders ${classes.join(", ")} in ${path}; ${found.includes(odd) ? "got" : "there is no"} ${odd}`);
  if (classes.length === 0) throw new FormatError(`imageFolder: expected folders, one a class; there is none in ${path}`);
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    const inside = await entries(join(path, name));
    if (inside.length === 0) throw new FormatError(`imageFolder: expected images; there is none in ${join(path, name)}`);
    for (const entry of inside) {
      const file = join(path, name, entry.name);
      if (entry.folder || !/\.png$/i.test(entry.name)) throw new FormatError(`imageFolder: expected PNG images, NAME.png; got ${file}`);
      files.push(file);
      labels.push(label);
    }
  }
  const images = await pictures(files, fastPng);
  return new ImageFolder(images, keep(tensor(Int32Array.from(labels))), classes, files);
}

/** What a folder holds, sorted, without what is hidden. */
async function entries(path: string): Promise<{ name: string; folder: boolean }[]> {
  const { promises } = await builtin("node:fs");
  const { join } = await builtin("node:path");
  try {
    const names = (await promises.readdir(path)).filter((name) => !name.startsWith(".")).sort();
    return await Promise.all(names.map(async (name) => ({ name, folder: (await promises.stat(join(path, name))).isDirectory() })));
  } catch (error) {
    throw new FormatError(`imageFolder: expected a folder; ${reason(error)} at ${path}`, { cause: error });
  }
}

const described = ({ width, height, channels, samples }: Picture): string =>
  `${height} x ${width} pixels of ${channels} channels with ${8 * samples.BYTES_PER_ELEMENT} bits`;

async function pictures(files: readonly string[], fastPng: typeof import("fast-png")): Promise<Tensor> {
  let images: Tensor | undefined;
  let first: Picture | undefined;
  try {
    for (const [i, file] of files.entries()) {
      const refuse: Refuse = (message) => {
        throw new FormatError(`imageFolder: ${message} in ${file}`);
      };
      const picture = await parsePng(await readBytes("imageFolder", file), fastPng, refuse);
      first ??= picture;
      if (described(picture) !== described(first)) refuse(`expected ${described(first)}, as in ${files[0]}; got ${described(picture)}`);
      const { width, height, channels, samples } = picture;
      const deep = samples instanceof Uint16Array;
      images ??= keep(zeros([files.length, channels, height, width], { dtype: deep ? "float32" : "uint8" }));
      const target = view(images.ptr, images.size, images.dtype).subarray(i * samples.length, (i + 1) * samples.length);
      planes(target, samples, channels, deep ? 65535 : 1);
    }
  } catch (error) {
    images?.dispose();
    throw error;
  }
  return images as Tensor;
}

/** Samples by pixels -> samples by channels, divided. */
function planes(target: ArrayLike<number> & { [i: number]: number }, samples: ArrayLike<number>, channels: number, divisor: number): void {
  const pixels = samples.length / channels;
  for (let c = 0; c < channels; c++) for (let p = 0; p < pixels; p++) target[c * pixels + p] = samples[p * channels + c] / divisor;
}
