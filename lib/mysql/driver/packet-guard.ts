import { type Internals, type PacketParser, packetParserOf } from './mysql2-internals.ts';

/** A command that limits the packets of its response. */
export interface GuardedCommand {
  /** Limit of the next packet, where split packets count as one. Undefined: it must be a small one. */
  readonly maxPacketBytes: number | undefined;
  /** A larger packet has begun and is skipped. `bytes` is its size as far as it is known. */
  refusePacket(bytes: number): void;
}

/** Limit of packets that are not rows. */
const MAX_OTHER_BYTES = 1_048_576;
/** Smaller packets are never skipped: they may be the end of the rows, or an error. */
const SMALL_PACKET_BYTES = 65_536;
/** A full packet continues in the next one. */
const FULL_PACKET_BYTES = 0xff_ff_ff;
const HEAD_BYTES = 4;
const SEQUENCE_NUMBER_BYTES = 1;

/**
 * Filters the input of mysql2's parser, which would buffer a packet of any size. Once a packet is known to be larger than
 * its command allows, the rest of it is skipped, and the connection stays usable.
 */
class PacketGuard {
  readonly #internals: Internals;
  readonly #parser: PacketParser;
  readonly #giveUp: () => void;
  /** Bytes of the skipped packet that are still to come. */
  #leftBytes = 0;
  #isSkipping = false;
  /** The skipped packet continues in another one. */
  #isContinued = false;
  #skippedPackets = 0;
  /** The bytes of the next packet's header so far. */
  readonly #head: number[] = [];

  constructor(internals: Internals, giveUp: () => void) {
    this.#internals = internals;
    this.#parser = packetParserOf(internals);
    this.#giveUp = giveUp;
  }

  execute(chunk: Buffer): void {
    const rest = this.#isSkipping ? this.#skip(chunk) : chunk;
    if (rest.length === 0) return;
    this.#parser.execute(rest);
    if (this.#parser.execute === this.#parser.executePayload) this.#checkBegun();
  }

  /** Checks the size of a packet that is incomplete. */
  #checkBegun(): void {
    // Complete packets are queued before it, so its command is not known yet.
    if (this.#internals._paused_packets.length > 0) return;
    const { _command: command } = this.#internals;
    const max = isGuarded(command) ? command.maxPacketBytes : undefined;
    const bytes = this.#announcedBytes();
    if (bytes <= Math.max(SMALL_PACKET_BYTES, max ?? MAX_OTHER_BYTES)) return;
    this.#startSkipping();
    if (isGuarded(command) && max !== undefined) command.refusePacket(bytes);
    else this.#giveUp();
  }

  #announcedBytes(): number {
    const { largePacketParts, length } = this.#parser;
    return largePacketParts.reduce((bytes, part) => bytes + part.length, length);
  }

  /** Takes over from the parser in the middle of a packet. */
  #startSkipping(): void {
    const parser = this.#parser;
    this.#isSkipping = true;
    this.#isContinued = parser.length === FULL_PACKET_BYTES;
    this.#leftBytes = parser.length + SEQUENCE_NUMBER_BYTES - parser.bufferLength;
    this.#skippedPackets = parser.largePacketParts.length + 1;
    parser.largePacketParts.length = 0;
    parser.buffer = [];
    parser.bufferLength = 0;
    parser.execute = parser.executeStart;
  }

  /** Returns the bytes after the packet. */
  #skip(chunk: Buffer): Buffer {
    let at = 0;
    while (at < chunk.length) {
      const passed = Math.min(this.#leftBytes, chunk.length - at);
      at += passed;
      this.#leftBytes -= passed;
      if (this.#leftBytes > 0) break;
      if (!this.#isContinued) {
        this.#isSkipping = false;
        this.#internals._bumpSequenceId(this.#skippedPackets);
        break;
      }
      at = this.#readHead(chunk, at);
    }
    return chunk.subarray(at);
  }

  /** Reads the available bytes of the next packet's header. Returns where it stopped. */
  #readHead(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length && this.#head.length < HEAD_BYTES; at += 1) this.#head.push(chunk[at] ?? 0);
    if (this.#head.length === HEAD_BYTES) {
      const [low = 0, middle = 0, high = 0] = this.#head;
      this.#head.length = 0;
      this.#leftBytes = low + (middle << 8) + (high << 16);
      this.#isContinued = this.#leftBytes === FULL_PACKET_BYTES;
      this.#skippedPackets += 1;
    }
    return at;
  }
}

/** Guards a connection from now on. `giveUp` closes it if the server exceeds all limits. */
export function guardPackets(internals: Internals, giveUp: () => void): void {
  internals.packetParser = new PacketGuard(internals, giveUp);
}

function isGuarded(command: object | undefined): command is GuardedCommand {
  return command !== undefined && 'maxPacketBytes' in command;
}
