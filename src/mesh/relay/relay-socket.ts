import { PacketBatch } from '../../core/packets/packet-batch.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import { ForwardingSocket } from '../../host/forwarding-socket.js';
import { appendCopy, keepRows } from './batch-rows.js';
import type { RelayTable } from './relay-table.js';

const BATCH_ROWS = 256;
const BATCH_BYTES = 1024 * 1024;
/** Batches that are relayed before the hub's own work gets its turn. */
const ROUNDS_PER_TURN = 8;

export interface RelayCounters {
  /** Relayed messages for which the system had no room. */
  relayOverflow: number;
}

/** The socket of a hub: what is for other nodes goes on to them at once, and the device never sees it. */
export class RelaySocket extends ForwardingSocket {
  readonly counters: RelayCounters = { relayOverflow: 0 };
  readonly #socket: DatagramSocket;
  readonly #table: RelayTable;
  readonly #nowMs: () => number;
  readonly #leaving = new PacketBatch(BATCH_ROWS, BATCH_BYTES);

  constructor(socket: DatagramSocket, table: RelayTable, nowMs: () => number) {
    super(socket);
    this.#socket = socket;
    this.#table = table;
    this.#nowMs = nowMs;
  }

  override receive(batch: PacketBatch): number {
    for (let round = 0; round < ROUNDS_PER_TURN; round++) {
      if (super.receive(batch) === 0) return 0;
      this.#relay(batch);
      if (batch.count > 0) return batch.count;
    }
    return 0;
  }

  #relay(batch: PacketBatch): void {
    const nowMs = this.#nowMs();
    keepRows(batch, (row) => {
      const verdict = this.#table.judge(batch, row, nowMs);
      for (const { endpoint } of this.#table.to)
        if (!appendCopy(this.#leaving, batch, row, endpoint!.words)) {
          this.#flush();
          appendCopy(this.#leaving, batch, row, endpoint!.words);
        }
      return verdict === 'hub' || verdict === 'both';
    });
    this.#flush();
  }

  /** Datagrams that the system has no room for are lost, as on any full link. */
  #flush(): void {
    const { count } = this.#leaving;
    if (count === 0) return;
    const sent = this.#socket.send(this.#leaving, 0);
    this.counters.relayOverflow += count - sent;
    this.#leaving.clear();
  }
}
