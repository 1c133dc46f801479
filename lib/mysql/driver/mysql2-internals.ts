import type { Writable } from 'node:stream';
import type { Connection } from 'mysql2';
import { assert } from '../../errors.ts';
import type { PacketBytes } from '../result/packet-reader.ts';

// Private members of mysql2: its queue of commands, and its parser. It sends a command after the response to the previous
// one. mysql2-internals.test.ts checks each member on a server.

export interface Command {
  /** The state that takes the next packet; null before it was sent. */
  readonly next: unknown;
  /** Sends it. Returns the state that takes the response. */
  start: (packet: undefined, internals: Internals) => unknown;
  /** Takes the next packet of the response; without a packet it must send itself. Returns whether that was the last. */
  execute(packet: ResponsePacket | undefined, internals: Internals): boolean;
}

export interface ResponsePacket extends PacketBytes {
  isError(): boolean;
  isEOF(): boolean;
  /** Status flags of a packet that ends columns or rows. */
  eofStatusFlags(): number;
  asError(encoding: string): Error;
}

/** A packet to send: four bytes for its header, then its payload. mysql2 splits it by its length. */
export interface RequestPacket {
  readonly buffer: Buffer;
  length(): number;
  writeHeader(sequenceId: number): void;
}

/** The private members of a connection of mysql2. */
export interface Internals {
  addCommand: (command: Command) => Command;
  /** The capabilities that the server offered at the login. */
  readonly serverCapabilityFlags: number;
  readonly _mariadbExtendedMetadata: boolean;
  /** What it speaks over: the socket, or TLS upon that. */
  readonly stream: Pick<Writable, 'writable' | 'cork' | 'uncork'>;
  /** Of the next packet of the answer that comes. */
  sequenceId: number;
  writePacket(packet: RequestPacket): void;
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
  /** Gets the bytes of the socket. */
  packetParser: Pick<PacketParser, 'execute'>;
  /** The command whose response arrives. */
  readonly _command: object | undefined;
  /** Packets that arrived while it was paused. */
  readonly _paused_packets: { readonly length: number };
}

/** mysql2's parser of packets. */
export interface PacketParser {
  /** One of the two below, or a reader of a split header, by what the next bytes are. */
  execute: (chunk: Buffer) => void;
  readonly executeStart: (chunk: Buffer) => void;
  readonly executePayload: (chunk: Buffer) => void;
  /** Payload length of the current packet, by its header. */
  readonly length: number;
  /** Its bytes so far, after the length. */
  buffer: Buffer[];
  bufferLength: number;
  /** Earlier packets of the same split packet. */
  readonly largePacketParts: Buffer[];
}

export function packetParserOf({ packetParser }: Internals): PacketParser {
  assert(isPacketParser(packetParser), 'a driver that puts packets together in another way');
  return packetParser;
}

function isPacketParser(parser: object): parser is PacketParser {
  return (
    ['execute', 'executeStart', 'executePayload'].every(
      (name) => typeof Reflect.get(parser, name) === 'function',
    ) &&
    ['length', 'bufferLength'].every((name) => typeof Reflect.get(parser, name) === 'number') &&
    ['buffer', 'largePacketParts'].every((name) => Array.isArray(Reflect.get(parser, name)))
  );
}

export function internalsOf(connection: Connection): Internals {
  assert(hasInternals(connection), 'a driver that sends commands in another way');
  return connection;
}

const METHODS = ['addCommand', 'writePacket', '_resetSequenceId', '_bumpSequenceId'];

function hasInternals(connection: object): connection is Internals {
  return (
    METHODS.every((name) => typeof Reflect.get(connection, name) === 'function') &&
    typeof Reflect.get(connection, 'serverCapabilityFlags') === 'number' &&
    typeof Reflect.get(connection, 'sequenceId') === 'number' &&
    typeof Reflect.get(Object(Reflect.get(connection, 'stream')), 'cork') === 'function' &&
    typeof Reflect.get(connection, 'packetParser') === 'object' &&
    typeof Reflect.get(connection, '_paused_packets') === 'object' &&
    typeof Reflect.get(connection, '_mariadbExtendedMetadata') === 'boolean'
  );
}

/** Capability CLIENT_SESSION_TRACK. */
const SESSION_TRACK = 0x0080_0000;

/** Whether OK packets hold reports of the session trackers. */
export function tracksSession({ serverCapabilityFlags }: Internals): boolean {
  return (serverCapabilityFlags & SESSION_TRACK) !== 0;
}
