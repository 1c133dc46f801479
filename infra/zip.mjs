import { crc32, deflateRawSync } from 'node:zlib';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
const DEFLATED = 8;
/** 1 January 1980, 0:00: the same file makes the same archive whenever it is packed. */
const DATE = 0x21;
const MADE_BY_UNIX = (3 << 8) | VERSION;
/** A plain file that everybody may read. */
const MODE = (0o100644 << 16) >>> 0;

/** A zip archive of one file. */
export function zipOf(name, content) {
  const path = Buffer.from(name);
  const packed = deflateRawSync(content, { level: 9 });
  const about = Buffer.alloc(26);
  about.writeUInt16LE(VERSION, 0);
  about.writeUInt16LE(DEFLATED, 4);
  about.writeUInt16LE(DATE, 8);
  about.writeUInt32LE(crc32(content), 10);
  about.writeUInt32LE(packed.length, 14);
  about.writeUInt32LE(content.length, 18);
  about.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([uint32(LOCAL), about, path, packed]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(MODE, 6);
  const central = Buffer.concat([uint32(CENTRAL), uint16(MADE_BY_UNIX), about, rest, path]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, uint32(END), end]);
}

function uint16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
