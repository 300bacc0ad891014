import { useEffect, useState } from 'preact/hooks';

import { call } from '../api.js';
import { ago, bytes } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';

const EVERY_MS = 3_000;
const MOST = 50;

interface Flow {
  readonly protocol: string;
  readonly destination: string;
  readonly port: number;
  readonly sinceUnixMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** The flows of a device that live at this moment; they are kept nowhere. */
export function Flows({ id }: { id: string }) {
  const [flows, setFlows] = useState<readonly Flow[]>([]);
  const m = messages.value.device;
  useEffect(() => {
    const load = (): void => {
      if (document.hidden) return;
      void call<{ flows: Flow[] }>('GET', `/devices/${id}/flows`).then(
        (answer) => setFlows(answer.flows),
        () => {},
      );
    };
    load();
    const timer = setInterval(load, EVERY_MS);
    return () => clearInterval(timer);
  }, [id]);
  return (
    <section class="card scroll">
      <h2>{m.flows}</h2>
      {flows.length === 0 ? (
        <p class="quiet">{m.noFlows}</p>
      ) : (
        <table>
          <tbody>
            {flows.slice(0, MOST).map((flow) => (
              <tr key={`${flow.protocol} ${flow.destination} ${flow.port} ${flow.sinceUnixMs}`}>
                <td>{flow.protocol}</td>
                <td class="code">
                  {flow.destination} {flow.port === 0 ? '' : flow.port}
                </td>
                <td class="wide">{ago(flow.sinceUnixMs, nowUnixMs.value)}</td>
                <td class="end numbers">
                  ↑ {bytes(flow.receivedBytes)} ↓ {bytes(flow.sentBytes)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
