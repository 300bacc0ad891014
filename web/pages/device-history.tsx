import { useEffect, useState } from 'preact/hooks';

import { call } from '../api.js';
import { bytes, dateTime } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { type Sample, TrafficChart } from '../parts/chart.js';
import { messageOf, say } from '../parts/ui.js';

const PERIODS = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
  year: 365 * 86_400_000,
} as const;

/** Traffic of a device over a period. */
export function History({ id }: { id: string }) {
  const [period, setPeriod] = useState<keyof typeof PERIODS>('day');
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const [until, setUntil] = useState(nowUnixMs.value);
  const m = messages.value.device;
  useEffect(() => {
    const toUnixMs = Math.round(nowUnixMs.value);
    const query = `fromUnixMs=${toUnixMs - PERIODS[period]}&toUnixMs=${toUnixMs}&buckets=240`;
    call<{ samples: Sample[] }>('GET', `/devices/${id}/traffic?${query}`).then(
      (answer) => {
        setSamples(answer.samples);
        setUntil(toUnixMs);
      },
      (failure) => say(messageOf(failure)),
    );
  }, [id, period]);
  return (
    <section class="card stack">
      <div class="row spread">
        <h2>{m.history}</h2>
        <div class="chips">
          {(Object.keys(PERIODS) as (keyof typeof PERIODS)[]).map((each) => (
            <button
              key={each}
              type="button"
              class="button"
              aria-pressed={each === period}
              onClick={() => setPeriod(each)}
            >
              {m.periods[each]}
            </button>
          ))}
        </div>
      </div>
      <TrafficChart samples={samples} fromUnixMs={until - PERIODS[period]} toUnixMs={until} />
    </section>
  );
}

interface Session {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** When a device was connected in the last month. */
export function Sessions({ id }: { id: string }) {
  const [sessions, setSessions] = useState<readonly Session[]>([]);
  const m = messages.value.device;
  useEffect(() => {
    const toUnixMs = Math.round(nowUnixMs.value);
    call<{ sessions: Session[] }>(
      'GET',
      `/devices/${id}/sessions?fromUnixMs=${toUnixMs - PERIODS.month}&toUnixMs=${toUnixMs}`,
    ).then(
      (answer) => setSessions(answer.sessions.toReversed()),
      (failure) => say(messageOf(failure)),
    );
  }, [id]);
  return (
    <section class="card scroll">
      <h2>{m.sessions}</h2>
      {sessions.length === 0 ? (
        <p class="quiet">{messages.value.none}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{m.from}</th>
              <th scope="col">{m.until}</th>
              <th scope="col" class="end">
                ↑
              </th>
              <th scope="col" class="end">
                ↓
              </th>
            </tr>
          </thead>
          <tbody>
            {sessions.slice(0, 50).map((session) => (
              <tr key={session.startUnixMs}>
                <td>{dateTime(session.startUnixMs)}</td>
                <td>{dateTime(session.endUnixMs)}</td>
                <td class="end numbers">{bytes(session.receivedBytes)}</td>
                <td class="end numbers">{bytes(session.sentBytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
