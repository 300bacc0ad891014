/** Brings a stack into each state of a connection, by segments of the peer and calls of the program. */
import assert from 'node:assert/strict';

import { TCP_STATE_NAMES } from '../../../src/netstack/tcp/tcp-state.js';
import { ACK, type Family, FIN, LoneStack, PEER_ISS, PEER_PORT, STACK_ISS, STACK_PORT, SYN } from './lone-stack.js';
import type { Variables, Way } from './oracle.js';

export interface Situation {
  readonly lone: LoneStack;
  /** Names of RFC 9293 §3.3.1. */
  readonly variables: Variables;
  /** Bytes that wait for the program already. */
  readonly unread: number;
}

/** Bytes that are in flight in the states that have something in flight. */
const IN_FLIGHT = 10;
/** The window of the peer: MAX.SND.WND. */
const PEER_WINDOW = 1_000;
const NO_DATA = new Uint8Array(0);

export function reach(way: Way, family: Family): Situation {
  const lone = new LoneStack(family);
  const script = new Script(lone);
  SCRIPTS[way](script);
  const answers = lone.answers();
  assert.ok(answers.every(({ flags }) => flags < 32));
  return { lone, variables: script.variables(way), unread: script.filled };
}

/** The state that a stack shows to its host, by the name of the RFC. */
export function stateOf(lone: LoneStack): string {
  const { tcp, local, remote } = lone;
  const flow = tcp.flow(local, STACK_PORT, remote, PEER_PORT);
  if (flow !== undefined) return NAMES[TCP_STATE_NAMES[flow.state]!]!;
  const listener = tcp.listenerOf(local, STACK_PORT);
  if (tcp.flowCount === 0) return listener === undefined ? 'CLOSED' : 'LISTEN';
  return listener !== undefined && listener.halfOpenCount > 0 ? 'SYN-RECEIVED' : 'TIME-WAIT';
}

const NAMES: Readonly<Record<string, string>> = {
  SynSent: 'SYN-SENT',
  SynReceived: 'SYN-RECEIVED',
  Established: 'ESTABLISHED',
  FinWait1: 'FIN-WAIT-1',
  FinWait2: 'FIN-WAIT-2',
  CloseWait: 'CLOSE-WAIT',
  Closing: 'CLOSING',
  LastAck: 'LAST-ACK',
};

/** Both sides of a connection, move by move. */
class Script {
  readonly lone: LoneStack;
  rcvNxt = PEER_ISS;
  sndUna = STACK_ISS;
  sndNxt = STACK_ISS;
  isFinSent = false;
  filled = 0;

  constructor(lone: LoneStack) {
    this.lone = lone;
  }

  listen(): void {
    this.lone.tcp.listen(undefined, STACK_PORT);
  }

  stopListening(): void {
    this.lone.tcp.closeListener(this.lone.tcp.listenerOf(this.lone.local, STACK_PORT)!);
  }

  connect(): void {
    const { lone } = this;
    lone.flow = lone.tcp.connect(lone.local, lone.remote, PEER_PORT, lone.nowMs, STACK_PORT);
    lone.pump();
    this.sndNxt = (STACK_ISS + 1) | 0;
  }

  syn(): void {
    this.#send(SYN, PEER_ISS, 0);
    this.rcvNxt = (PEER_ISS + 1) | 0;
    this.sndNxt = (STACK_ISS + 1) | 0;
  }

  /** The peer opens, and the program takes the connection. */
  open(keepsListener = false): void {
    this.listen();
    this.syn();
    this.acknowledge();
    if (!keepsListener) this.stopListening();
  }

  /** The peer acknowledges all that was sent. */
  acknowledge(): void {
    this.sndUna = this.sndNxt;
    this.#send(ACK, this.rcvNxt, this.sndUna);
  }

  write(): void {
    assert.equal(this.lone.tcp.write(this.lone.flow!, new Uint8Array(IN_FLIGHT), 0, IN_FLIGHT), IN_FLIGHT);
    this.lone.pump();
    this.sndNxt = (this.sndNxt + IN_FLIGHT) | 0;
  }

  close(): void {
    this.lone.tcp.shutdown(this.lone.flow!);
    this.lone.pump();
    this.sndNxt = (this.sndNxt + 1) | 0;
    this.isFinSent = true;
  }

  /** The peer sends until there is no window left, and the program reads nothing. */
  fill(): void {
    for (let room = 1; room > 0; room = (this.lone.edge! - this.rcvNxt) | 0) {
      const data = new Uint8Array(Math.min(room, 20_000));
      this.lone.send({ flags: ACK, seq: this.rcvNxt, ack: this.sndUna, data, window: PEER_WINDOW });
      this.rcvNxt = (this.rcvNxt + data.length) | 0;
    }
    this.filled = (this.rcvNxt - PEER_ISS - 1) | 0;
  }

  fin(): void {
    this.#send(FIN | ACK, this.rcvNxt, this.sndUna);
    this.rcvNxt = (this.rcvNxt + 1) | 0;
  }

  variables(way: Way): Variables {
    const { rcvNxt, sndUna, sndNxt, isFinSent, lone } = this;
    const isEmpty = way.startsWith('TIME-WAIT');
    const rcvWnd = isEmpty || lone.edge === undefined ? 0 : (lone.edge - rcvNxt) | 0;
    return { rcvNxt, rcvWnd, sndUna, sndNxt, isFinSent, iss: STACK_ISS, irs: PEER_ISS, maxSndWnd: PEER_WINDOW };
  }

  #send(flags: number, seq: number, ack: number): void {
    this.lone.send({ flags, seq, ack, data: NO_DATA, window: PEER_WINDOW });
  }
}

const SCRIPTS: Readonly<Record<Way, (script: Script) => void>> = {
  CLOSED: () => {},
  LISTEN: (script) => script.listen(),
  'SYN-SENT': (script) => script.connect(),
  'SYN-RECEIVED by listen': (script) => {
    script.listen();
    script.syn();
  },
  'SYN-RECEIVED by simultaneous open': (script) => {
    script.connect();
    script.syn();
  },
  ESTABLISHED: (script) => {
    script.open();
    script.write();
  },
  'FIN-WAIT-1': (script) => {
    script.open();
    script.write();
    script.close();
  },
  'FIN-WAIT-2': (script) => {
    script.open();
    script.close();
    script.acknowledge();
  },
  'CLOSE-WAIT': (script) => {
    script.open();
    script.write();
    script.fin();
  },
  CLOSING: (script) => {
    script.open();
    script.write();
    script.close();
    script.fin();
  },
  'LAST-ACK': (script) => {
    script.open();
    script.fin();
    script.write();
    script.close();
  },
  'TIME-WAIT': (script) => {
    script.open();
    script.close();
    script.acknowledge();
    script.fin();
  },
  'ESTABLISHED with a closed window': (script) => {
    script.open();
    script.fill();
    script.write();
  },
  'FIN-WAIT-1 with a closed window': (script) => {
    script.open();
    script.fill();
    script.write();
    script.close();
  },
  'TIME-WAIT with a listener': (script) => {
    script.open(true);
    script.close();
    script.acknowledge();
    script.fin();
  },
};
