import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import { ENDPOINT_WORDS, Endpoint, FAMILY_PATH, remoteEquals } from '../wire/endpoint.js';
import type { DatagramSocket, DatagramSocketStats } from './datagram-socket.js';

/**
 * A way to a peer that is no UDP address, such as a relay. A path behaves as a `DatagramSocket` does, but ignores the
 * endpoints of its rows.
 */
export type Path = Pick<DatagramSocket, 'receive' | 'send' | 'onReadable' | 'onWritable' | 'close'>;

export interface PathSocketOptions {
  readonly udp: DatagramSocket;
  /** The paths by their ids of 16 bytes. */
  readonly paths?: Iterable<readonly [id: Uint8Array, path: Path]>;
}

interface NamedPath {
  readonly endpoint: Endpoint;
  readonly path: Path;
}

/** Ways that are not positions in the list of paths. */
const UDP = -1;
const NO_WAY = -2;

/**
 * UDP and other paths as one socket. A peer that uses a path has an endpoint of FAMILY_PATH with the id of the path, and
 * is answered on that path.
 *
 * Paths and UDP are read in turn. A path without room holds up the rows behind in the batch, as UDP does.
 */
export class PathSocket implements DatagramSocket {
  readonly #udp: DatagramSocket;
  readonly #paths: NamedPath[] = [];
  readonly #sendErrors = new Map<string, number>();
  #onReadable: () => void = () => {};
  #onWritable: () => void = () => {};
  /** The next path to read, by its position, or UDP behind the last path. */
  #turn = 0;

  constructor({ udp, paths = [] }: PathSocketOptions) {
    this.#udp = udp;
    this.#watch(udp);
    for (const [id, path] of paths) this.addPath(id, path);
  }

  get port(): number {
    return this.#udp.port;
  }

  set onReadable(listener: () => void) {
    this.#onReadable = listener;
  }

  set onWritable(listener: () => void) {
    this.#onWritable = listener;
  }

  get stats(): DatagramSocketStats {
    const { sendErrors, receiveErrors } = this.#udp.stats;
    return { sendErrors: new Map([...sendErrors, ...this.#sendErrors]), receiveErrors };
  }

  /** @param id 16 bytes, different from the ids of all other paths. Copied. */
  addPath(id: Uint8Array, path: Path): void {
    this.#paths.push({ endpoint: Endpoint.forPath(id), path });
    this.#watch(path);
  }

  /** Closes the path. Later datagrams to the path are counted as ENETUNREACH. */
  removePath(id: Uint8Array): void {
    const at = this.#find(Endpoint.forPath(id).words, 0);
    const [removed] = at < 0 ? [] : this.#paths.splice(at, 1);
    removed?.path.close();
  }

  receive(batch: PacketBatch): number {
    for (let asked = 0; asked <= this.#paths.length; asked++) {
      const turn = this.#turn % (this.#paths.length + 1);
      this.#turn = turn + 1;
      const named = this.#paths[turn];
      const rows = (named?.path ?? this.#udp).receive(batch);
      if (rows === 0) continue;
      if (named !== undefined) nameSender(batch, named.endpoint);
      return rows;
    }
    return 0;
  }

  send(batch: PacketBatch, from: number): number {
    for (let start = from; start < batch.count; ) {
      const end = this.#endOfRun(batch, start);
      const sent = this.#sendRun(batch, start, end);
      if (sent < end) return sent;
      start = end;
    }
    return batch.count;
  }

  setMark(mark: number): void {
    this.#udp.setMark(mark);
  }

  close(): void {
    this.#udp.close();
    for (const { path } of this.#paths.splice(0)) path.close();
  }

  /** Returns the first row behind `start` that takes another way. Rows that do not pass belong to any run. */
  #endOfRun(batch: PacketBatch, start: number): number {
    const way = this.#wayOf(batch, start);
    let row = start + 1;
    while (row < batch.count && (batch.verdict[row] !== Verdict.Pass || this.#wayOf(batch, row) === way)) row++;
    return row;
  }

  /** Returns the position of the row's path, UDP, or NO_WAY. */
  #wayOf(batch: PacketBatch, row: number): number {
    if (batch.verdict[row] !== Verdict.Pass) return NO_WAY;
    const recordAt = batch.endpoint[row]! * ENDPOINT_WORDS;
    if ((batch.endpointWords[recordAt]! & 0xff) !== FAMILY_PATH) return UDP;
    const place = this.#find(batch.endpointWords, recordAt);
    return place < 0 ? NO_WAY : place;
  }

  /** Sends the rows from `start` up to `end`, which all take the same way. */
  #sendRun(batch: PacketBatch, start: number, end: number): number {
    const way = this.#wayOf(batch, start);
    const socket = way === UDP ? this.#udp : this.#paths[way]?.path;
    if (socket === undefined) {
      this.#countUnreachable(batch, start, end);
      return end;
    }
    const { count } = batch;
    batch.count = end;
    const sent = socket.send(batch, start);
    batch.count = count;
    return sent;
  }

  #countUnreachable(batch: PacketBatch, start: number, end: number): void {
    const rows = batch.verdict.subarray(start, end).filter((verdict) => verdict === Verdict.Pass).length;
    if (rows === 0) return;
    this.#sendErrors.set('ENETUNREACH', (this.#sendErrors.get('ENETUNREACH') ?? 0) + rows);
  }

  #find(words: Int32Array, at: number): number {
    return this.#paths.findIndex(({ endpoint }) => remoteEquals(endpoint.words, 0, words, at));
  }

  #watch(source: Pick<DatagramSocket, 'onReadable' | 'onWritable'>): void {
    source.onReadable = () => this.#onReadable();
    source.onWritable = () => this.#onWritable();
  }
}

/** Sets one endpoint for all rows. */
function nameSender(batch: PacketBatch, endpoint: Endpoint): void {
  batch.endpointCount = 0;
  for (let row = 0; row < batch.count; row++) batch.setEndpoint(row, endpoint.words, 0);
}
