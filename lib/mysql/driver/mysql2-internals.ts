import type { Connection } from 'mysql2';
import { assert } from '../../errors.ts';
import type { PacketBytes } from '../result/packet-reader.ts';

// What mysql2 keeps to itself: its line of commands. It sends a command when the one before has been answered.

export interface Command {
  /** null until it has been sent. */
  readonly next: unknown;
  /** Sends it. Returns the state that takes the answer. */
  start: (packet: undefined, line: CommandLine) => unknown;
  /** Takes the next packet of the answer; without one it is its turn to be sent. Returns whether that was the last. */
  execute(packet: AnswerPacket | undefined, line: CommandLine): boolean;
}

export interface AnswerPacket extends PacketBytes {
  isError(): boolean;
  isEOF(): boolean;
  /** Of the end of the columns or rows. */
  eofStatusFlags(): number;
  asError(encoding: string): Error;
}

/** A packet to be sent: four bytes for its head, then its payload. mysql2 may split it by its length. */
export interface RequestPacket {
  readonly buffer: Buffer;
  length(): number;
  writeHeader(sequenceId: number): void;
}

/** A connection of mysql2's, whose line of commands it is. */
export interface CommandLine {
  addCommand: (command: Command) => Command;
  /** What the server offered at the login. */
  readonly serverCapabilityFlags: number;
  readonly _mariadbExtendedMetadata: boolean;
  writePacket(packet: RequestPacket): void;
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
  /** Gets what the socket brings. */
  packetParser: Pick<PacketParser, 'execute'>;
  /** Whose answer comes. */
  readonly _command: object | undefined;
  /** What came while it was paused. */
  readonly _paused_packets: { readonly length: number };
}

/** How mysql2 puts packets together. */
export interface PacketParser {
  /** One of the two below, or what reads a head that has come in pieces: what the next bytes are. */
  execute: (chunk: Buffer) => void;
  readonly executeStart: (chunk: Buffer) => void;
  readonly executePayload: (chunk: Buffer) => void;
  /** Of the packet that has begun, as its head announces it. */
  readonly length: number;
  /** What has come of it, from behind the length on. */
  buffer: Buffer[];
  bufferLength: number;
  /** The packets before it that are one with it. */
  readonly largePacketParts: Buffer[];
}

export function packetParserOf({ packetParser }: CommandLine): PacketParser {
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

export function commandLineOf(connection: Connection): CommandLine {
  assert(isCommandLine(connection), 'a driver that sends commands in another way');
  return connection;
}

const METHODS = ['addCommand', 'writePacket', '_resetSequenceId', '_bumpSequenceId'];

function isCommandLine(connection: object): connection is CommandLine {
  return (
    METHODS.every((name) => typeof Reflect.get(connection, name) === 'function') &&
    typeof Reflect.get(connection, 'serverCapabilityFlags') === 'number' &&
    typeof Reflect.get(connection, 'packetParser') === 'object' &&
    typeof Reflect.get(connection, '_paused_packets') === 'object' &&
    typeof Reflect.get(connection, '_mariadbExtendedMetadata') === 'boolean'
  );
}

/** Capability CLIENT_SESSION_TRACK. */
const SESSION_TRACK = 0x0080_0000;

/** Whether OK packets hold what the session trackers report. */
export function tracksSession({ serverCapabilityFlags }: CommandLine): boolean {
  return (serverCapabilityFlags & SESSION_TRACK) !== 0;
}
