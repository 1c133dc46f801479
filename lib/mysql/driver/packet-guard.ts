import { type CommandLine, type PacketParser, packetParserOf } from './mysql2-internals.ts';

/** A command that bounds what it is answered. */
export interface GuardedCommand {
  /** Of the next packet; those that MySQL splits count as one. undefined: it is to be a small one. */
  readonly maxPacketBytes: number | undefined;
  /** A packet of more bytes has begun: so many are known of. They are passed over, and it is not to be expected. */
  refusePacket(bytes: number): void;
}

/** What is no row has less. */
const MAX_OTHER_BYTES = 1_048_576;
/** Less is never passed over: it may be the end of the rows, or an error in place of one. */
const SMALL_PACKET_BYTES = 65_536;
/** A packet that is full goes on in the next one. */
const FULL_PACKET_BYTES = 0xff_ff_ff;
const HEAD_BYTES = 4;
const SEQUENCE_NUMBER_BYTES = 1;

/**
 * Stands before mysql2's parser, which would keep a packet of any size until it is whole. From the moment at which a
 * packet is known to be larger than its command allows nothing of it is kept, and the connection stays in order.
 */
class PacketGuard {
  readonly #line: CommandLine;
  readonly #parser: PacketParser;
  readonly #giveUp: () => void;
  /** What is still to come of the packet that is passed over. */
  #leftBytes = 0;
  #isPassingOver = false;
  /** The packet that is passed over goes on in another one. */
  #isContinued = false;
  #passedPackets = 0;
  /** Of the head of the one that it goes on in. */
  readonly #head: number[] = [];

  constructor(line: CommandLine, giveUp: () => void) {
    this.#line = line;
    this.#parser = packetParserOf(line);
    this.#giveUp = giveUp;
  }

  execute(chunk: Buffer): void {
    const rest = this.#isPassingOver ? this.#passOver(chunk) : chunk;
    if (rest.length === 0) return;
    this.#parser.execute(rest);
    if (this.#parser.execute === this.#parser.executePayload) this.#checkBegun();
  }

  /** Looks at a packet that has begun and not ended. */
  #checkBegun(): void {
    // What waits to be taken comes before it.
    if (this.#line._paused_packets.length > 0) return;
    const { _command: command } = this.#line;
    const max = isGuarded(command) ? command.maxPacketBytes : undefined;
    const bytes = this.#announcedBytes();
    if (bytes <= Math.max(SMALL_PACKET_BYTES, max ?? MAX_OTHER_BYTES)) return;
    this.#takeOver();
    if (isGuarded(command) && max !== undefined) command.refusePacket(bytes);
    else this.#giveUp();
  }

  #announcedBytes(): number {
    const { largePacketParts, length } = this.#parser;
    return largePacketParts.reduce((bytes, part) => bytes + part.length, length);
  }

  /** From the parser, in the middle of a packet. */
  #takeOver(): void {
    const parser = this.#parser;
    this.#isPassingOver = true;
    this.#isContinued = parser.length === FULL_PACKET_BYTES;
    this.#leftBytes = parser.length + SEQUENCE_NUMBER_BYTES - parser.bufferLength;
    this.#passedPackets = parser.largePacketParts.length + 1;
    parser.largePacketParts.length = 0;
    parser.buffer = [];
    parser.bufferLength = 0;
    parser.execute = parser.executeStart;
  }

  /** Returns what comes behind the packet. */
  #passOver(chunk: Buffer): Buffer {
    let at = 0;
    while (at < chunk.length) {
      const passed = Math.min(this.#leftBytes, chunk.length - at);
      at += passed;
      this.#leftBytes -= passed;
      if (this.#leftBytes > 0) break;
      if (!this.#isContinued) {
        this.#isPassingOver = false;
        this.#line._bumpSequenceId(this.#passedPackets);
        break;
      }
      at = this.#readHead(chunk, at);
    }
    return chunk.subarray(at);
  }

  /** Reads of the next packet's head what is there. Returns where it stopped. */
  #readHead(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length && this.#head.length < HEAD_BYTES; at += 1) this.#head.push(chunk[at] ?? 0);
    if (this.#head.length === HEAD_BYTES) {
      const [low = 0, middle = 0, high = 0] = this.#head;
      this.#head.length = 0;
      this.#leftBytes = low + (middle << 8) + (high << 16);
      this.#isContinued = this.#leftBytes === FULL_PACKET_BYTES;
      this.#passedPackets += 1;
    }
    return at;
  }
}

/** From now on, for what comes over a line. `giveUp` ends a connection whose server answers beyond all bounds. */
export function guardPackets(line: CommandLine, giveUp: () => void): void {
  line.packetParser = new PacketGuard(line, giveUp);
}

function isGuarded(command: object | undefined): command is GuardedCommand {
  return command !== undefined && 'maxPacketBytes' in command;
}
