// PNG files made by hand, grey with 8 bits.
import { deflateSync } from "node:zlib";
import { crc32 } from "../crc32.js";

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** An image of these pixels, black by default; `stated` is the number of rows that it says it has. */
export function pngOf(cols: number, rows: number, pixels?: readonly number[], stated = rows): Buffer {
  const data = Buffer.alloc(rows * (cols + 1));
  for (const [i, pixel] of (pixels ?? []).entries()) data[Math.floor(i / cols) * (cols + 1) + 1 + (i % cols)] = pixel;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(cols, 0);
  header.writeUInt32BE(stated, 4);
  header[8] = 8;
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(data)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
