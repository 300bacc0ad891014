import type { ReasonCode } from '../../core/session-reason.js';
import type { PeerStatus } from '../../rootless/tunnel-host.js';
import type { AliveCheck } from './alive-check.js';
import type { RunningTunnel } from './tunnel-set.js';

/** States in which nothing is known to be wrong: a tunnel that nobody uses has no session. */
const HEALTHY: ReadonlySet<ReasonCode> = new Set([
  'session',
  'unconfirmed',
  'handshake-due',
  'nothing-to-send',
  'handshake-started',
]);

/** The answer of `/readyz` about one tunnel. */
export interface TunnelHealth {
  readonly ready: boolean;
  /** Unix time of the last answer of each address of `CheckAlive`; 0: never. */
  readonly checkAlive: Readonly<Record<string, number>>;
  readonly peers: readonly Pick<PeerStatus, 'publicKey' | 'reasonCode' | 'reason'>[];
}

/** A tunnel is ready if every address of `CheckAlive` answers; without such addresses, if one peer has no known trouble. */
export function tunnelHealth({ host }: Pick<RunningTunnel, 'host'>, check: AliveCheck | undefined): TunnelHealth {
  const { peers } = host.status();
  const ready =
    check === undefined ? peers.some(({ reasonCode }) => HEALTHY.has(reasonCode)) : check.isAlive(Date.now());
  const pongs = [...(check?.lastPongs ?? [])].map(([address, ms]) => [address, Math.floor(ms / 1_000)] as const);
  return {
    ready,
    checkAlive: Object.fromEntries(pongs),
    peers: peers.map(({ publicKey, reasonCode, reason }) => ({ publicKey, reasonCode, reason })),
  };
}
