import type { Destination } from '../../proxy/exit.js';
import { EXPOSITION_TYPE } from '../device/exposition-text.js';
import { alive, healthAnswer, ProbeServer } from '../probe-server.js';

/** The state of the proxy when a request comes. */
export interface InfoSource {
  readiness(): { readonly ready: boolean };
  /** Returns the metrics in Prometheus' format. */
  metrics(): string;
}

/** Serves `/readyz`, `/livez` or `/healthz`, and `/metrics`. @throws {WireGuardError} ERR_LISTEN */
export async function openInfoServer(at: Destination, source: InfoSource): Promise<ProbeServer> {
  return await ProbeServer.open('--info', at, {
    '/readyz': () => {
      const readiness = source.readiness();
      return healthAnswer(readiness.ready, readiness);
    },
    '/livez': alive,
    '/healthz': alive,
    '/metrics': () => ({ status: 200, type: EXPOSITION_TYPE, body: source.metrics() }),
  });
}
