import { useEffect, useState } from 'preact/hooks';

import type { RuleBody } from '../../src/server/operations/gateway-schemas.js';
import { call } from '../api.js';
import { ago } from '../format.js';
import { messages } from '../language.js';
import { changes, devices, nowUnixMs } from '../live.js';
import { messageOf, say } from '../parts/ui.js';

/** A decision about a flow, and the rule or reason for it. */
export interface Decision {
  readonly isAllowed: boolean;
  readonly reason: string;
  readonly rule?: string;
}

interface Denial {
  readonly atUnixMs: number;
  readonly flow: {
    readonly device: string;
    readonly protocol: string;
    readonly destination: string;
    readonly port: number;
  };
  readonly decision: Decision;
  readonly count: number;
}

/** Flows that were refused lately, each with a rule that would allow it. */
export function Denials({ onAllow }: { onAllow?: (rule: RuleBody) => void }) {
  const [denials, setDenials] = useState<readonly Denial[]>([]);
  const m = messages.value.rules;
  useEffect(() => {
    call<{ denials: Denial[] }>('GET', '/denials').then(
      (answer) => setDenials(answer.denials),
      (failure) => say(messageOf(failure)),
    );
  }, [changes.value]);
  return (
    <section class="card scroll">
      <h2>{m.denials}</h2>
      {denials.length === 0 ? (
        <p class="quiet">{m.noDenials}</p>
      ) : (
        <table>
          <tbody>
            {denials.slice(0, 50).map(({ flow, atUnixMs, count, decision }) => (
              <tr key={`${flow.device}${flow.destination}${flow.port}${flow.protocol}`}>
                <td>
                  {devices.value.get(flow.device)?.name ?? flow.device} → <span class="code">{flow.destination}</span>
                  {flow.port === 0 ? '' : `:${flow.port}`} ({flow.protocol})
                  <div class="hint">{m.why[decision.reason] ?? decision.reason}</div>
                </td>
                <td class="quiet">
                  {m.times(count)}, {ago(atUnixMs, nowUnixMs.value)}
                </td>
                <td class="end">
                  {onAllow !== undefined && (
                    <button type="button" class="button" onClick={() => onAllow(ruleFor(flow))}>
                      {m.allowThis}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function ruleFor({ device, protocol, destination, port }: Denial['flow']): RuleBody {
  return {
    action: 'allow',
    from: { kind: 'device', device },
    to: { kind: 'prefix', prefix: destination },
    protocol: protocol as 'tcp',
    ...(port === 0 ? {} : { ports: { first: port, last: port } }),
  };
}
