import { readFile } from 'node:fs/promises';
import { isIPv6, type Socket } from 'node:net';

/** Calls within this time share one reading. */
const SHARED_FOR_MS = 200;

/** Queued bytes by both addresses of a connection. */
type Queues = ReadonlyMap<string, number>;

let lastReading: { readonly atMs: number; readonly queues: Promise<Queues> } | undefined;

/**
 * Bytes that the kernel holds for this connection and the other side has not acknowledged: `tx_queue` of Linux. It
 * shrinks when the other side reads, long before the kernel takes more. Undefined on other systems.
 */
export async function unackedBytes(socket: Socket): Promise<number | undefined> {
  const nowMs = performance.now();
  if (lastReading === undefined || nowMs - lastReading.atMs > SHARED_FOR_MS) {
    lastReading = { atMs: nowMs, queues: readQueues() };
  }
  return (await lastReading.queues).get(keyOf(socket));
}

async function readQueues(): Promise<Queues> {
  const tables = await Promise.all(['tcp', 'tcp6'].map(readTable));
  return new Map(tables.flatMap((table) => table.split('\n').slice(1).flatMap(queueOf)));
}

async function readTable(name: string): Promise<string> {
  return await readFile(`/proc/self/net/${name}`, 'latin1').catch(() => '');
}

/** Parses a line `  1: 0100007F:1F90 0100007F:D431 01 00001000:00000000 ...`. */
function queueOf(line: string): [string, number][] {
  const [, local, remote, , queues] = line.trim().split(/\s+/, 5);
  return queues === undefined ? [] : [[`${local} ${remote}`, Number.parseInt(queues, 16)]];
}

function keyOf({ localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${endOf(localAddress, localPort)} ${endOf(remoteAddress, remotePort)}`;
}

function endOf(address: string, port: number): string {
  return `${hexOf(address)}:${hex(port, 4)}`;
}

/** As Linux writes an address: words of four bytes, each as a little-endian number. */
function hexOf(address: string): string {
  const bytes = isIPv6(address) ? bytesOfIPv6(address) : address.split('.').map(Number);
  const words = Array.from({ length: bytes.length / 4 }, (_, word) => bytes.slice(word * 4, word * 4 + 4));
  return words
    .flatMap((word) => word.toReversed())
    .map((byte) => hex(byte, 2))
    .join('');
}

function bytesOfIPv6(address: string): number[] {
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const zeros = new Array<number>(16 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after];
}

/** The bytes of groups of hexadecimal digits. The last group may be an IPv4 address. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
