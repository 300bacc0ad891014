/** Every way in which a connection begins and ends, for tests that look at what is left behind. */
import { FlowEvent } from '../../src/netstack/tcp/flow-event.js';
import type { TcpFlow } from '../../src/netstack/tcp/tcp-flow.js';
import type { StackNode, StackPair } from './stack-pair.js';

export const OPEN_PORT = 80;
export const CLOSED_PORT = 81;
const BYTES = new Uint8Array(3_000);

/** The things that a program does with a connection. */
type Move = 'shutdown' | 'close' | 'abort' | 'nothing';

interface Way {
  readonly name: string;
  readonly port?: number;
  /** On the connecting side: at once, without waiting for the other side. */
  readonly early?: Move;
  readonly client: Move;
  readonly server: Move;
  /** Each program does this when the other side has sent its end. */
  readonly last?: Move;
  /** Bytes that each side writes first. */
  readonly isWriting?: boolean;
  /** Nobody reads what arrived. */
  readonly isUnread?: boolean;
  /** From here on nothing passes between the two: after the SYN, after the SYN-ACK, or once it is open. */
  readonly cut?: 'syn' | 'syn-ack' | 'open';
}

export const WAYS: readonly Way[] = [
  { name: 'closed by the client', client: 'shutdown', server: 'nothing', last: 'shutdown' },
  { name: 'closed by the server', client: 'nothing', server: 'shutdown', last: 'shutdown' },
  { name: 'closed by both at once', client: 'shutdown', server: 'shutdown' },
  { name: 'let go by both', client: 'close', server: 'close' },
  { name: 'closed by both, with data', client: 'shutdown', server: 'shutdown', isWriting: true },
  { name: 'let go with bytes unread', client: 'close', server: 'close', isWriting: true, isUnread: true },
  { name: 'reset by the client', client: 'abort', server: 'nothing', isWriting: true },
  { name: 'reset by the server', client: 'nothing', server: 'abort', isWriting: true },
  { name: 'reset by both', client: 'abort', server: 'abort' },
  { name: 'refused', port: CLOSED_PORT, client: 'nothing', server: 'nothing' },
  { name: 'let go before it is open', early: 'close', client: 'nothing', server: 'nothing', last: 'close' },
  { name: 'closed before it is open', early: 'shutdown', client: 'nothing', server: 'nothing', last: 'shutdown' },
  { name: 'reset before it is open', early: 'abort', client: 'nothing', server: 'nothing' },
  { name: 'let go by the client while the server goes on', client: 'close', server: 'nothing', last: 'nothing' },
  { name: 'cut off behind the SYN', client: 'nothing', server: 'nothing', cut: 'syn' },
  { name: 'half open and forgotten', early: 'abort', client: 'nothing', server: 'nothing', cut: 'syn-ack' },
  { name: 'cut off with data in flight', client: 'close', server: 'close', isWriting: true, cut: 'open' },
];

/** Opens and ends connections between the two stacks of a pair; `a` connects to `b`. */
export class Connections {
  readonly #pair: StackPair;
  readonly #ways = new Map<number, Way>();
  readonly #cut = new Set<number>();
  readonly #buffer = new Uint8Array(65_536);
  /** Flows that no program has let go of: the test ends them. */
  readonly held = new Set<TcpFlow>();

  constructor(pair: StackPair) {
    this.#pair = pair;
    pair.b.stack.tcp.listen(undefined, OPEN_PORT);
    pair.b.onAccept = (flow) => this.#opened(pair.b, flow);
    for (const node of [pair.a, pair.b]) {
      const { delayMs = 0 } = node.conditions;
      node.conditions = { delayMs, filter: (packet) => this.#passes(node, packet) };
      node.onEvent = (flow) => this.#take(node, flow);
    }
  }

  open(way: Way): void {
    const { a } = this.#pair;
    const flow = a.stack.tcp.connect(a.address, a.peer.address, way.port ?? OPEN_PORT, a.nowMs);
    if (flow === undefined) throw new Error('no port is free');
    this.#ways.set(flow.localPort, way);
    this.held.add(flow);
    a.pump();
    this.#move(a, flow, way.early ?? 'nothing');
  }

  #passes(node: StackNode, packet: Uint8Array): boolean {
    const isFromClient = node === this.#pair.a;
    const port = new DataView(packet.buffer, packet.byteOffset).getUint16(isFromClient ? 20 : 22);
    const cut = this.#ways.get(port)?.cut;
    if (cut === 'syn' || (cut === 'syn-ack' && !isFromClient)) return packet[33] === 2 && isFromClient;
    return !this.#cut.has(port);
  }

  #opened(node: StackNode, flow: TcpFlow): void {
    this.held.add(flow);
    const isClient = node === this.#pair.a;
    const port = isClient ? flow.localPort : flow.remotePort;
    const way = this.#ways.get(port)!;
    if (way.isWriting === true) node.stack.tcp.write(flow, BYTES, 0, BYTES.length);
    node.pump();
    if (way.cut === 'open' && !isClient) this.#cut.add(port);
    this.#pair.events.schedule(node.nowMs + 5, () => this.#move(node, flow, isClient ? way.client : way.server));
  }

  #take(node: StackNode, flow: TcpFlow): void {
    const { events } = flow;
    flow.events = 0;
    const way = this.#ways.get(node === this.#pair.a ? flow.localPort : flow.remotePort);
    if (way === undefined) return;
    const { tcp } = node.stack;
    if ((events & FlowEvent.Connected) !== 0 && node === this.#pair.a) this.#opened(node, flow);
    if (way.isUnread !== true) while (tcp.read(flow, this.#buffer, 0, this.#buffer.length, node.nowMs) > 0);
    if ((events & FlowEvent.Finished) !== 0) this.#move(node, flow, way.last ?? 'shutdown');
    // The program lets go of what is over; bytes that it never read go with it.
    if ((events & FlowEvent.Closed) !== 0) this.#move(node, flow, 'close');
  }

  #move(node: StackNode, flow: TcpFlow, move: Move): void {
    const { tcp } = node.stack;
    if (move === 'shutdown') tcp.shutdown(flow);
    else if (move === 'close') tcp.close(flow, node.nowMs);
    else if (move === 'abort') tcp.abort(flow);
    if (move === 'close' || move === 'abort') this.held.delete(flow);
    node.pump();
  }

  /** Ends what a way leaves open on purpose. */
  endHeld(): void {
    const { a, b } = this.#pair;
    for (const flow of this.held)
      for (const node of [a, b])
        if (node.stack.tcp.flow(flow.local, flow.localPort, flow.remote, flow.remotePort) === flow)
          this.#move(node, flow, 'abort');
    this.held.clear();
  }
}
