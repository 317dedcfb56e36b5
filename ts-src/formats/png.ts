// PNG images (PNG specification, third edition), decoded with the package fast-png. What a file says of its size is checked before memory
// is taken, and only the chunks that make the picture are decoded: profiles and texts can be bombs.

import type { Refuse } from "./elements.js";
import { builtin } from "./files.js";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const HEADER_BYTES = 13;
const MOST_EXPANSION = 1032; // of deflate, to 1
const INDEXED = 3;
const channelsOf: { readonly [colorType: number]: number } = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Bits of a sample that a color type may have. */
const depthsOf: { readonly [colorType: number]: readonly number[] } = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
/** Where the passes of Adam7 begin, and their steps: x, y, step x, step y. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Samples by rows, the channels of a pixel beside each other: grey, grey and alpha, RGB or RGBA. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Bytes, or words of 16 bits where the file has them. */
  readonly samples: Uint8Array | Uint16Array;
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colorType: number;
  readonly interlaced: boolean;
}

/** The picture in the bytes of a file. Palettes become colors, fewer than 8 bits of grey 8; a transparent color is not looked at. */
export async function parsePng(bytes: Uint8Array, { decode, convertIndexedToRgb }: typeof import("fast-png"), refuse: Refuse): Promise<Picture> {
  const { header, chunks, data } = chunksOf(bytes, refuse);
  const { width, height, depth, colorType, interlaced } = header;
  if (interlaced && depth < 8)
    refuse("expected an image that is not interlaced, or with 8 or 16 bits; got an interlaced one of fewer; save it without interlacing");
  const size = unpackedBytes(header);
  const packed = data.reduce((n, piece) => n + piece.length, 0);
  if (size > MOST_EXPANSION * packed) refuse(`expected ${width} x ${height} pixels, ${size} bytes; got ${packed} bytes, which cannot unpack to so many`);
  const { inflateSync } = await builtin("node:zlib");
  let length = 0;
  try {
    length = inflateSync(joined(data), { maxOutputLength: size + 1 }).length;
  } catch (error) {
    refuse(`expected ${size} bytes for ${width} x ${height} pixels; ${(error as Error).message}`);
  }
  if (length !== size) refuse(`expected ${size} bytes for ${width} x ${height} pixels; got ${length > size ? "more" : length}`);
  try {
    const image = decode(joined(chunks), { checkCrc: true });
    if (depth === 16) return { width, height, channels: image.channels, samples: Uint16Array.from(image.data) };
    if (depth === 8 && colorType !== INDEXED) return { width, height, channels: image.channels, samples: Uint8Array.from(image.data) };
    const grey = Array.from({ length: 2 ** depth }, (_, i): [number] => [(i * 255) / (2 ** depth - 1)]);
    const palette = (colorType === INDEXED ? image.palette : grey) as [number, number, number][];
    return { width, height, channels: palette[0].length, samples: convertIndexedToRgb({ ...image, palette }) };
  } catch (error) {
    return refuse(`expected a PNG image; ${(error as Error).message}`);
  }
}

/** Header, the pieces of the compressed pixels, and the file without what makes no picture. */
function chunksOf(bytes: Uint8Array, refuse: Refuse): { header: Header; chunks: Uint8Array[]; data: Uint8Array[] } {
  if (bytes.length < SIGNATURE.length || SIGNATURE.some((byte, i) => bytes[i] !== byte)) refuse("expected the first bytes of a PNG file; got others");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Uint8Array[] = [SIGNATURE];
  const data: Uint8Array[] = [];
  let header: Header | undefined;
  let palette = false;
  for (let at = SIGNATURE.length; ; ) {
    if (at + 12 > bytes.length) refuse("expected the end of the image; the file was cut");
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 + length;
    if (end > bytes.length) refuse(`expected ${length} bytes of a chunk ${type}; got ${bytes.length - at - 12}; the file was cut or is corrupt`);
    if ((header === undefined) !== (type === "IHDR")) refuse("expected one header, before all else; got another order");
    if (type === "IHDR") header = headerOf(view, at + 8, length, refuse);
    const { colorType } = header as Header;
    if (type === "IDAT") data.push(bytes.subarray(at + 8, at + 8 + length));
    if (type === "PLTE") {
      if (palette || length === 0 || length > 768) refuse(`expected one palette of at most 256 colors; got ${palette ? "two" : `${length} bytes`}`);
      palette = true;
    }
    if (type === "IEND" || type === "IHDR" || type === "IDAT" || (colorType === INDEXED && (type === "PLTE" || type === "tRNS")))
      chunks.push(bytes.subarray(at, end));
    at = end;
    if (type !== "IEND") continue;
    if (data.length === 0) refuse("expected pixels; got none");
    if (colorType === INDEXED && !palette) refuse("expected a palette; got none");
    return { header: header as Header, chunks, data };
  }
}

function headerOf(view: DataView, at: number, length: number, refuse: Refuse): Header {
  if (length !== HEADER_BYTES) refuse(`expected a header of ${HEADER_BYTES} bytes; got ${length}`);
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [depth, colorType, compression, filter, interlace] = [8, 9, 10, 11, 12].map((field) => view.getUint8(at + field));
  if (width === 0 || height === 0) refuse(`expected at least one pixel; got ${width} x ${height}`);
  if (!depthsOf[colorType]?.includes(depth)) refuse(`expected a color type and depth of the specification; got ${colorType} with ${depth} bits`);
  if (compression !== 0 || filter !== 0 || interlace > 1) refuse(`expected the methods 0, 0 and 0 or 1; got ${compression}, ${filter}, ${interlace}`);
  return { width, height, depth, colorType, interlaced: interlace === 1 };
}

/** Bytes of the rows, each with the byte of its filter. */
function unpackedBytes({ width, height, depth, colorType, interlaced }: Header): number {
  const rows = (w: number, h: number): number => (w === 0 || h === 0 ? 0 : h * (1 + Math.ceil((w * depth * channelsOf[colorType]) / 8)));
  if (!interlaced) return rows(width, height);
  return PASSES.reduce((n, [x, y, dx, dy]) => n + rows(Math.max(0, Math.ceil((width - x) / dx)), Math.max(0, Math.ceil((height - y) / dy))), 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
