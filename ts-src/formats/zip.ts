// Zip archives (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4), as NumPy writes them: stored or deflated entries, less than 4 GiB.
// The directory of a file from outside is not believed: names, ranges and sizes are checked before anything is unpacked, and what comes
// out is counted while it comes and compared with its checksum.
import { crc32 } from "./crc32.js";
import type { Refuse } from "./elements.js";

const END = 0x06054b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const DIRECTORY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 65_535;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
const MOST_EXPANSION = 1032; // to 1: a match of 258 bytes takes two bits at least (RFC 1951)
const PIECE = 16_384; // bytes that are inflated before what came out is counted

export interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  /** As they lie in the archive. */
  readonly bytes: Uint8Array;
  /** Bytes when unpacked, as the directory says. */
  readonly size: number;
  readonly checksum: number;
}

/** The entries of an archive that unpack to `most` bytes at most, all together. */
export function zipEntries(bytes: Uint8Array, most: number, refuse: Refuse): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOf(view);
  if (end === undefined) return refuse("expected a zip archive; got a file without the end of one; it was cut or is no archive");
  const [disk, firstDisk, onDisk, count] = [4, 6, 8, 10].map((at) => view.getUint16(end + at, true));
  const [length, start] = [12, 16].map((at) => view.getUint32(end + at, true));
  if (disk !== 0 || firstDisk !== 0 || onDisk !== count || count === 0xffff || start === 0xffffffff) {
    refuse("expected an archive of one part, less than 4 GiB and 65535 entries; got another");
  }
  if (start + length !== end) refuse(`expected a directory that ends at byte ${end}; got ${length} bytes at ${start}; the file is corrupt`);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  const ranges: [begin: number, end: number][] = [];
  let total = 0;
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_BYTES > end || view.getUint32(at, true) !== DIRECTORY) refuse(`expected ${count} entries in the directory; got ${i}`);
    const [flags, method] = [8, 10].map((field) => view.getUint16(at + field, true));
    const [checksum, packed, size] = [16, 20, 24].map((field) => view.getUint32(at + field, true));
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const local = view.getUint32(at + 42, true);
    const nameBytes = bytes.subarray(at + DIRECTORY_BYTES, at + DIRECTORY_BYTES + nameLength);
    at += DIRECTORY_BYTES + nameLength + extraLength + commentLength;
    if (at > end) refuse("expected a directory within its length; got one that is cut");
    const name = decoded(nameBytes, refuse);
    if (names.has(name)) refuse(`expected each name once; got ${name} twice`);
    names.add(name);
    if ((flags & ENCRYPTED) !== 0) refuse(`expected ${name} without a password; got it encrypted`);
    if (method !== STORED && method !== DEFLATED) refuse(`expected ${name} stored or deflated; got compression method ${method}`);
    if (method === STORED ? size !== packed : size > MOST_EXPANSION * packed) {
      refuse(`expected a size of ${name} that ${packed} bytes can unpack to; got ${size}`);
    }
    total += size;
    if (total > most) refuse(`expected at most ${most} bytes when unpacked; got ${total} and more`);
    const begin = dataStart(bytes, view, local, nameBytes) ?? refuse(`expected ${name} at byte ${local}; there is no such entry`);
    if (begin + packed > start) refuse(`expected ${name} to end before the directory at ${start}; got ${begin + packed}`);
    ranges.push([local, begin + packed]);
    entries.push({ name, deflated: method === DEFLATED, bytes: bytes.subarray(begin, begin + packed), size, checksum });
  }
  if (at !== end) refuse("expected a directory of its length; got a longer one");
  ranges.sort((a, b) => a[0] - b[0]);
  if (ranges.some(([begin], i) => i > 0 && begin < ranges[i - 1][1])) refuse("expected entries one after another; got some that overlap");
  return entries;
}

/** Where the record at the end of an archive lies. */
function endOf(view: DataView): number | undefined {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--) {
    if (view.getUint32(at, true) === END && view.getUint16(at + 20, true) === last - at) return at;
  }
  return undefined;
}

/** Where the bytes of an entry begin, behind a header of the same name. */
function dataStart(bytes: Uint8Array, view: DataView, at: number, name: Uint8Array): number | undefined {
  if (at + LOCAL_BYTES > view.byteLength || view.getUint32(at, true) !== LOCAL || view.getUint16(at + 26, true) !== name.length) return undefined;
  const own = bytes.subarray(at + LOCAL_BYTES, at + LOCAL_BYTES + name.length);
  if (own.length !== name.length || own.some((byte, i) => byte !== name[i])) return undefined;
  return at + LOCAL_BYTES + name.length + view.getUint16(at + 28, true);
}

function decoded(name: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(name);
  } catch {
    return refuse("expected names in UTF-8; got one that is not");
  }
}

/** An entry's bytes, unpacked; never more than the directory said. */
export function unpacked(entry: ZipEntry, { Inflate }: typeof import("fflate"), refuse: Refuse): Uint8Array {
  const { name, bytes, size } = entry;
  let out = bytes;
  if (entry.deflated) {
    out = new Uint8Array(size);
    let length = 0;
    const inflate = new Inflate((piece) => {
      if (length + piece.length > size) refuse(`expected ${name} to unpack to ${size} bytes; got more`);
      out.set(piece, length);
      length += piece.length;
    });
    try {
      for (let at = 0; at < bytes.length || at === 0; at += PIECE) inflate.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length);
    } catch (error) {
      // fflate's own have a number as code
      if (typeof (error as { code?: unknown }).code !== "number") throw error;
      refuse(`expected ${name} to be deflated data; ${(error as Error).message}`);
    }
    if (length !== size) refuse(`expected ${name} to unpack to ${size} bytes; got ${length}`);
  }
  if (crc32(out) !== entry.checksum) refuse(`expected the checksum of ${name} to fit; it does not: the file is corrupt`);
  return out;
}
