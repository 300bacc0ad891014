/** How thorough a run is. */
export interface Settings {
  readonly rounds: number;
  /** Duration of each transfer. */
  readonly seconds: number;
  /** Echo requests per reading. */
  readonly pings: number;
  /** Handshakes per reading. */
  readonly handshakes: number;
  /** A second, of the flood of initiations. */
  readonly initiations: number;
  /** Peers that are configured and say nothing, for the measures of many peers. */
  readonly idlePeers: number;
  /** Peers that all have traffic at once. */
  readonly busyPeers: number;
  /** Short HTTP requests through a host inside a program, and how many of them at a time. */
  readonly requests: number;
  readonly parallelRequests: number;
  /** Connections that nobody uses. */
  readonly idleConnections: number;
  /** Virtual time of a transfer over a simulated path. */
  readonly simulatedSeconds: number;
  /** How long an idle tunnel is watched, and how long it is left alone before. */
  readonly idleSeconds: number;
  readonly settleSeconds: number;
  /** After which memory that is not needed any more is given back. */
  readonly giveBackSeconds: number;
  readonly hasLongMeasures: boolean;
}

export const FULL: Settings = {
  rounds: 5,
  seconds: 3,
  pings: 200,
  handshakes: 12_000,
  initiations: 100_000,
  idlePeers: 10_000,
  busyPeers: 16,
  requests: 5_000,
  parallelRequests: 1_000,
  idleConnections: 10_000,
  simulatedSeconds: 120,
  idleSeconds: 60,
  // A passive keepalive may follow 10 s after the last packet, a look at the unanswered 15 s after it; then nothing.
  settleSeconds: 20,
  // The garbage collector of an idle Node wakes after eight seconds.
  giveBackSeconds: 15,
  hasLongMeasures: true,
};

/** Two minutes in all. */
export const QUICK: Settings = {
  ...FULL,
  rounds: 1,
  seconds: 1,
  pings: 100,
  handshakes: 4_000,
  simulatedSeconds: 30,
  hasLongMeasures: false,
};

/** Only to see that everything works, on the slowest of machines. */
export const SMOKE: Settings = {
  rounds: 1,
  seconds: 0.2,
  pings: 5,
  handshakes: 50,
  initiations: 1_000,
  idlePeers: 20,
  busyPeers: 2,
  requests: 20,
  parallelRequests: 10,
  idleConnections: 20,
  simulatedSeconds: 1,
  idleSeconds: 0.2,
  settleSeconds: 0,
  giveBackSeconds: 0,
  hasLongMeasures: true,
};
