// The page of images that were taken for another class, with a filter by true class that needs no script.
import { deflateSync } from "node:zlib";
import { crc32 } from "../../formats/crc32.js";
import { count, escapeHtml, percent, SPACE } from "./text.js";

const SIDE = 28;

/** Which part of the data a score is of. */
export type Measured = "test" | "validation" | "training";

export interface ReportMistake {
  /** Among the examples that were measured. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  readonly probability: number;
  /** 28 rows of 28 grays, 255 is ink. */
  readonly pixels: Uint8Array;
}

export interface Mistakes {
  /** The most confident ones, in the order in which they are shown. */
  readonly mistakes: readonly ReportMistake[];
  /** All, with those that are not shown. */
  readonly total: number;
  /** Names of the classes, if they have any. */
  readonly classes: readonly string[] | undefined;
  /** Which examples were measured. */
  readonly on: Measured;
}

/** Never says 100 %: no softmax of a mistake is sure. */
function confidence(probability: number): string {
  if (probability >= 0.9995) return `>${SPACE}99.9${SPACE}%`;
  return percent(probability, probability >= 0.995 ? 1 : 0);
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, data.length + 8)), data.length + 8);
  return chunk;
}

/** A gray PNG of 8 bits: about a third of the base64 of its pixels. */
function pngUrl(pixels: Uint8Array): string {
  if (pixels.length !== SIDE * SIDE) throw new RangeError(`an image has ${SIDE * SIDE} pixels, not ${pixels.length}`);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header[8] = 8; // bits; gray, deflate, no interlace are zeros
  const rows = Buffer.alloc(SIDE * (SIDE + 1)); // each row begins with its filter, 0
  for (let row = 0; row < SIDE; row++) rows.set(pixels.subarray(row * SIDE, (row + 1) * SIDE), row * (SIDE + 1) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const file = [signature, pngChunk("IHDR", header), pngChunk("IDAT", deflateSync(rows, { level: 9 })), pngChunk("IEND", new Uint8Array(0))];
  return `data:image/png;base64,${Buffer.concat(file).toString("base64")}`;
}

const nameOf = ({ classes }: Mistakes, label: number): string => escapeHtml(classes?.[label] ?? String(label));

/** A name that stays on one line. */
const unbroken = (all: Mistakes, label: number): string => nameOf(all, label).replaceAll("-", "\u2011").replaceAll(" ", "\u00a0");

/** Radio buttons and one style rule per class: the filter needs no script. */
function mistakeFilter(all: Mistakes): string {
  const { mistakes } = all;
  const labels = [...new Set(mistakes.map((mistake) => mistake.label))].sort((a, b) => a - b);
  const choice = (id: string, text: string, images: number, checked: boolean): string =>
    `<input type="radio" name="class" id="class-${id}"${checked ? " checked" : ""}><label for="class-${id}">${text}<span>${count(images)}</span></label>`;
  const choices = labels.map((label) => choice(String(label), nameOf(all, label), mistakes.filter((mistake) => mistake.label === label).length, false));
  const rules = labels.map((label) => `#mistakes:has(#class-${label}:checked) .digits li:not([data-class="${label}"])`);
  return `<style>${rules.join(",")} { display: none }</style>
<fieldset class="filter"><legend>True class</legend>${choice("all", "all", mistakes.length, true)}${choices.join("")}</fieldset>`;
}

export function mistakesSection(all: Mistakes): string {
  const { mistakes, total } = all;
  return `<section class="card"><header><h2>Misclassified images</h2></header>
${mistakes.length === 0 ? `<p class="hint">No image was misclassified.</p>` : shown(all, mistakes.length >= total)}</section>`;
}

function shown(all: Mistakes, whole: boolean): string {
  const items = all.mistakes.map(
    ({ index, label, predicted, probability, pixels }) => `<li data-class="${label}" title="${all.on} image ${index}"><figure>
<img src="${pngUrl(pixels)}" width="${SIDE}" height="${SIDE}" alt="">
<figcaption><b>true\u00a0${unbroken(all, label)}, said\u00a0${unbroken(all, predicted)}</b> <span>(${confidence(probability)})</span></figcaption></figure></li>`,
  );
  const intro = whole
    ? `All ${count(all.total)} misclassified ${all.on} images, the most confident first.`
    : `The ${count(all.mistakes.length)} most confident of ${count(all.total)} misclassified ${all.on} images.`;
  return `<p class="hint">${intro} The percentage is the probability which the model gave to its answer.</p>
${mistakeFilter(all)}
<ul class="digits${all.classes === undefined ? "" : " named"}">
${items.join("\n")}
</ul>`;
}
