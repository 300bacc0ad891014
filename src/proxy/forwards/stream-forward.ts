import { joinStreams, resetStream, type StreamTraffic } from '../../rootless/join-streams.js';
import type { ExitStream } from '../exit.js';

/** Connections of one forward at a time; a further one is reset. */
const MAX_CONNECTIONS = 1_024;

/** The place that connections come to. */
export interface ForwardServer {
  /** 0: it has none. */
  readonly port: number;
  close(): void;
}

export interface StreamForwardEnds {
  /** Listens at the end that connections come to. */
  listen(onConnection: (stream: ExitStream) => void): Promise<ForwardServer>;
  /** Connects to the other end. The signal gives up. */
  connect(signal: AbortSignal): Promise<ExitStream>;
  /** Called if the other end cannot be reached. */
  onFailure(error: Error): void;
  readonly traffic?: StreamTraffic;
}

/** Carries every connection that comes to one place to another place, with its end, half-close and reset. */
export class StreamForward {
  readonly server: ForwardServer;
  readonly #ends: StreamForwardEnds;
  readonly #streams: Set<ExitStream>;

  private constructor(server: ForwardServer, ends: StreamForwardEnds, streams: Set<ExitStream>) {
    this.server = server;
    this.#ends = ends;
    this.#streams = streams;
  }

  static async open(ends: StreamForwardEnds): Promise<StreamForward> {
    const streams = new Set<ExitStream>();
    const early: ExitStream[] = [];
    let onConnection = (stream: ExitStream): void => void early.push(stream);
    const server = await ends.listen((stream) => onConnection(stream));
    const forward = new StreamForward(server, ends, streams);
    onConnection = (stream) => void forward.#carry(stream);
    for (const stream of early) onConnection(stream);
    return forward;
  }

  /** Takes no more connections; those that are open live on. */
  close(): void {
    this.server.close();
  }

  /** Ends every connection. */
  destroy(): void {
    this.close();
    for (const stream of this.#streams) resetStream(stream);
  }

  async #carry(stream: ExitStream): Promise<void> {
    stream.on('error', () => {}); // an error also closes the stream, which is what counts
    if (this.#streams.size >= MAX_CONNECTIONS) {
      resetStream(stream);
      return;
    }
    const gone = new AbortController();
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      gone.abort();
    });
    try {
      const other = await this.#ends.connect(gone.signal);
      joinStreams(stream, other, this.#ends.traffic);
    } catch (error) {
      if (!gone.signal.aborted) this.#ends.onFailure(error as Error);
      resetStream(stream);
    }
  }
}
