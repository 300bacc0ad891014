import type { Addon } from '../../src/addon/interface.js';
import { Device } from '../../src/core/device.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import type { AeadStage, Crypto } from '../../src/core/ports.js';
import { copySecret, secretBytes } from '../../src/core/secret-bytes.js';
import { JsAead } from '../../src/crypto/js-aead.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { nativeCrypto } from '../../src/crypto/native-crypto.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { Endpoint } from '../../src/wire/endpoint.js';

const KEY_BYTES = 32;
const ROWS = 64;
/** Sessions end after 180 s, so each round makes new ones. */
const ROUND_MS = 200_000;

/** The implementations of both devices' ports. */
export interface Implementation {
  readonly crypto: Crypto;
  readonly makeAead: () => AeadStage;
}

export function implementationOf(addon: Addon | undefined, threads = 1): Implementation {
  if (addon === undefined) return { crypto: new NodeCrypto(), makeAead: () => new JsAead() };
  return { crypto: nativeCrypto(addon), makeAead: () => new NativeAead(addon, threads) };
}

/**
 * Two devices that have sessions and exchange packets, the same in every detail for the same seed.
 *
 * Random bytes come from a generator that keeps none of them, and are written where they are used.
 */
export class SecretLife {
  readonly #ends: readonly [End, End];
  readonly #presharedKey = secretBytes(KEY_BYTES);
  #nowMs = 1_000;

  /** @param note Is handed each secret that is made up here, to be copied. */
  constructor({ crypto, makeAead }: Implementation, note: (what: string, secret: Uint8Array) => void = () => {}) {
    const random = new SeededRandom(7_301);
    random.fill(this.#presharedKey);
    note('preshared key', this.#presharedKey);
    const environment = {
      random: (out: Uint8Array) => {
        random.fill(out);
        if (out.length === KEY_BYTES) note('private key', out);
      },
      unixTimeMs: () => Date.UTC(2026, 0, 1) + this.#nowMs,
    };
    const makeEnd = (): End => {
      const aead = makeAead();
      return new End(new Device({ crypto, environment, aead }), aead, environment.random);
    };
    this.#ends = [makeEnd(), makeEnd()];
    this.#configure();
  }

  /** A handshake and packets in both directions, several times. */
  live(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      this.#nowMs += ROUND_MS;
      for (const [i, end] of this.#ends.entries()) {
        end.sendPacket(this.#nowMs, i);
        this.#exchange();
      }
    }
  }

  /** Packets that passed the other end's AEAD and came out of its tunnel. */
  get deliveredPackets(): number {
    return this.#ends[0].deliveredPackets + this.#ends[1].deliveredPackets;
  }

  close(): void {
    for (const end of this.#ends) end.device.close();
  }

  #configure(): void {
    for (const [i, end] of this.#ends.entries())
      end.device.applyChange({ privateKey: end.privateKey, replacePeers: false, peers: [] }, this.#nowMs + i);
    for (const [i, end] of this.#ends.entries()) {
      const other = this.#ends[1 - i]!;
      const peer = {
        publicKey: other.device.publicKey!.slice(),
        isRemoval: false,
        isUpdateOnly: false,
        presharedKey: this.#presharedKey,
        endpoint: Endpoint.from(Uint8Array.of(192, 0, 2, 2 - i), 51_820),
        replaceAllowedIps: true,
        allowedIps: [{ address: Uint8Array.of(10, 0, 0, 2 - i), prefixLength: 32, isRemoval: false }],
      };
      end.device.applyChange({ replacePeers: false, peers: [peer] }, this.#nowMs);
      end.device.setLinkUp(true, this.#nowMs);
      end.privateKey.fill(0);
    }
    this.#presharedKey.fill(0);
  }

  /** Settles both ends until neither has anything to send. */
  #exchange(): void {
    for (let rounds = 0; rounds < 20; rounds++)
      for (const [i, end] of this.#ends.entries())
        end.settle(this.#nowMs, (datagram) => this.#ends[1 - i]!.receive(datagram, 1 + i, this.#nowMs));
  }
}

/** One device with its AEAD stage. */
class End {
  readonly device: Device;
  readonly privateKey = secretBytes(KEY_BYTES);
  deliveredPackets = 0;
  readonly #aead: AeadStage;
  readonly #inbound = new PacketBatch(ROWS, 64 * 1_024);
  readonly #outbound = new PacketBatch(ROWS, 64 * 1_024);

  constructor(device: Device, aead: AeadStage, random: (out: Uint8Array) => void) {
    this.device = device;
    this.#aead = aead;
    random(this.privateKey);
  }

  /** Stages the packet if there is no session; else it waits in the batch for `settle`. */
  sendPacket(nowMs: number, from: number): void {
    const batch = this.#outbound;
    const row = batch.appendRow(PACKET.length);
    batch.bytes.set(PACKET, batch.offset[row]);
    batch.bytes[batch.offset[row]! + 15] = 1 + from;
    batch.bytes[batch.offset[row]! + 19] = 2 - from;
    this.device.route(batch, nowMs);
    this.#aead.seal(batch);
  }

  settle(nowMs: number, transmit: (datagram: Uint8Array) => void): void {
    this.device.runDue(nowMs);
    const { outbox } = this.device;
    this.#aead.seal(outbox);
    for (const batch of [outbox, this.#outbound]) {
      for (let row = 0; row < batch.count; row++)
        if (batch.verdict[row] === Verdict.Pass) transmit(copySecret(bytesOf(batch, row)));
      batch.clear();
    }
    this.device.replies.clear();
  }

  receive(datagram: Uint8Array, from: number, nowMs: number): void {
    const batch = this.#inbound;
    batch.clear();
    const row = batch.appendRow(datagram.length);
    batch.bytes.set(datagram, batch.offset[row]);
    batch.setEndpoint(row, Endpoint.from(Uint8Array.of(192, 0, 2, from), 51_820).words, 0);
    this.device.classify(batch, nowMs);
    this.#aead.open(batch);
    this.device.admit(batch, nowMs);
    if (batch.verdict[row] === Verdict.Pass) this.deliveredPackets++;
  }
}

function bytesOf(batch: PacketBatch, row: number): Uint8Array {
  return batch.bytes.subarray(batch.offset[row], batch.offset[row]! + batch.length[row]!);
}

/** An IPv4 header, and some payload. Addresses are filled in. */
const PACKET = Uint8Array.of(0x45, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0, ...new Uint8Array(40));
