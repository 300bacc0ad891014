import { useEffect, useState } from 'preact/hooks';

import type { DeviceBody } from '../../src/server/operations/device-schemas.js';
import { call } from '../api.js';
import { ago, bytes, dateTime } from '../format.js';
import { makeKeys } from '../keys.js';
import { messages } from '../language.js';
import { devices, isLoaded, nowUnixMs, put } from '../live.js';
import { type Sample, TrafficChart } from '../parts/chart.js';
import { Check, Dialog, ErrorText, messageOf, say, TextField } from '../parts/ui.js';
import { go } from '../router.js';
import { Handover, handOver, Steps } from './add-device.js';
import { removeDevice, State } from './devices.js';

const PERIODS = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
  year: 365 * 86_400_000,
} as const;
const MBIT = 1e6;
const GB = 1e9;

/** Everything about one device. */
export function Device({ id, mayWrite }: { id: string; mayWrite: boolean }) {
  const device = devices.value.get(id);
  const m = messages.value;
  if (device === undefined) return <p role="status">{isLoaded.value ? m.reasons['removed'] : m.loading}</p>;
  return (
    <div class="stack">
      <a href="#/devices">← {m.device.back}</a>
      <Head device={device} mayWrite={mayWrite} />
      <div class="two">
        <Why device={device} />
        <Facts device={device} />
      </div>
      <History id={id} />
      {mayWrite && (
        <div class="two">
          <Access device={device} />
          <Edit key={device.etag} device={device} />
        </div>
      )}
      <Sessions id={id} />
    </div>
  );
}

function Head({ device, mayWrite }: { device: DeviceBody; mayWrite: boolean }) {
  const [made, setMade] = useState<ReturnType<typeof handOver> | undefined>(undefined);
  const m = messages.value;
  const reissue = async (): Promise<void> => {
    try {
      const keys = await makeKeys();
      const body = { publicKey: keys.publicKey };
      setMade(
        handOver(
          await call<DeviceBody & { file: string }>('POST', `/devices/${device.id}/reissue`, body),
          keys.privateKey,
        ),
      );
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  const setBlocked = async (): Promise<void> => {
    const action = device.isBlocked ? 'unblock' : 'block';
    try {
      put(await call<DeviceBody>('POST', `/devices/${device.id}/${action}`, {}));
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  return (
    <div class="head">
      <h1>{device.name}</h1>
      {mayWrite && (
        <div class="row">
          <button type="button" class="button" onClick={() => void reissue()}>
            {m.device.reissue}
          </button>
          <button type="button" class="button" onClick={() => void setBlocked()}>
            {device.isBlocked ? m.devices.unblock : m.devices.block}
          </button>
          <button
            type="button"
            class="button danger"
            onClick={() => {
              void removeDevice(device.id).then(
                () => go('#/devices'),
                (failure) => say(messageOf(failure)),
              );
            }}
          >
            {m.devices.remove}
          </button>
        </div>
      )}
      {made !== undefined && (
        <Dialog title={device.name} onClose={() => setMade(undefined)}>
          <p>{m.device.reissueText}</p>
          <Handover made={made} onClose={() => setMade(undefined)} />
        </Dialog>
      )}
    </div>
  );
}

function Why({ device }: { device: DeviceBody }) {
  const m = messages.value;
  const quota = device.limits.quotaBytes;
  const drops = Object.entries(device.drops).filter(([, count]) => count > 0);
  return (
    <section class="card stack">
      <h2>{m.device.why}</h2>
      <p>
        <State device={device} />
      </p>
      <p>{m.reasons[device.reason.code] ?? device.reason.code}</p>
      {quota !== undefined && <p>{m.device.quotaUsed(bytes(device.quotaUsedBytes), bytes(quota))}</p>}
      {drops.length > 0 && (
        <p class="quiet">
          {m.device.drops}: {drops.map(([kind, count]) => `${count} ${m.device.dropKinds[kind] ?? kind}`).join(', ')}
        </p>
      )}
      {device.condition !== 'blocked' && device.proof.connected === undefined && <Steps id={device.id} />}
    </section>
  );
}

function Facts({ device }: { device: DeviceBody }) {
  const m = messages.value;
  return (
    <section class="card">
      <h2>{m.device.details}</h2>
      <dl class="facts">
        <dt>{m.devices.lastSeen}</dt>
        <dd>{ago(device.lastHandshakeUnixMs, nowUnixMs.value)}</dd>
        <dt>{m.devices.now}</dt>
        <dd class="numbers">
          ↑ {bytes(device.receivedBytesPerSecond)}
          {m.perSecond} ↓ {bytes(device.sentBytesPerSecond)}
          {m.perSecond}
        </dd>
        <dt>{m.device.addresses}</dt>
        <dd class="code">{device.addresses.join(', ')}</dd>
        <dt>{m.device.endpoint}</dt>
        <dd class="code">{device.endpoint ?? m.none}</dd>
        <dt>{m.device.publicKey}</dt>
        <dd class="code">{device.publicKey}</dd>
        <dt>{m.device.created}</dt>
        <dd>{dateTime(device.createdAtUnixMs)}</dd>
        {device.note !== '' && (
          <>
            <dt>{m.device.note}</dt>
            <dd>{device.note}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

function History({ id }: { id: string }) {
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

function Access({ device }: { device: DeviceBody }) {
  const m = messages.value.device;
  const set = async (name: keyof DeviceBody['switches'], isOn: boolean): Promise<void> => {
    try {
      put(await call<DeviceBody>('PATCH', `/devices/${device.id}`, { switches: { ...device.switches, [name]: isOn } }));
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  return (
    <section class="card">
      <fieldset>
        <legend>{m.access}</legend>
        <Check label={m.internet} isOn={device.switches.internet} onChange={(isOn) => void set('internet', isOn)} />
        <Check label={m.lan} isOn={device.switches.lan} onChange={(isOn) => void set('lan', isOn)} />
        <Check label={m.others} isOn={device.switches.devices} onChange={(isOn) => void set('devices', isOn)} />
      </fieldset>
    </section>
  );
}

function Edit({ device }: { device: DeviceBody }) {
  const [name, setName] = useState(device.name);
  const [tags, setTags] = useState(device.tags.join(' '));
  const [note, setNote] = useState(device.note);
  const [up, setUp] = useState(amount(device.limits.upBitsPerSecond, MBIT));
  const [down, setDown] = useState(amount(device.limits.downBitsPerSecond, MBIT));
  const [quota, setQuota] = useState(amount(device.limits.quotaBytes, GB));
  const [day, setDay] = useState(amount(device.limits.quotaResetDay, 1));
  const [expires, setExpires] = useState(localText(device.expiresAtUnixMs));
  const [error, setError] = useState('');
  const m = messages.value.device;
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const limits = Object.fromEntries(
      Object.entries({
        upBitsPerSecond: value(up, MBIT),
        downBitsPerSecond: value(down, MBIT),
        quotaBytes: value(quota, GB),
        quotaResetDay: value(day, 1),
      }).filter(([, number]) => number !== undefined),
    );
    const expiresAtUnixMs = expires === '' ? null : new Date(expires).getTime();
    try {
      put(
        await call<DeviceBody>('PATCH', `/devices/${device.id}`, {
          name,
          note,
          limits,
          expiresAtUnixMs,
          tags: tags.split(/\s+/).filter((tag) => tag !== ''),
        }),
      );
      say(m.saved);
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <section class="card">
      <h2>{m.edit}</h2>
      <form class="stack" onSubmit={save}>
        <div class="fields">
          <TextField label={messages.value.add.name} value={name} onInput={setName} isRequired />
          <TextField label={messages.value.add.tags} value={tags} onInput={setTags} />
          <TextField label={m.note} value={note} onInput={setNote} />
          <TextField label={m.expires} type="datetime-local" value={expires} onInput={setExpires} />
          <TextField label={`${m.upRate} (Mbit/s)`} type="number" placeholder={m.noLimit} value={up} onInput={setUp} />
          <TextField
            label={`${m.downRate} (Mbit/s)`}
            type="number"
            placeholder={m.noLimit}
            value={down}
            onInput={setDown}
          />
          <TextField label={`${m.quota} (GB)`} type="number" placeholder={m.noLimit} value={quota} onInput={setQuota} />
          <TextField label={m.resetDay} type="number" placeholder="1" value={day} onInput={setDay} />
        </div>
        <ErrorText error={error} />
        <div>
          <button type="submit" class="button first">
            {messages.value.save}
          </button>
        </div>
      </form>
    </section>
  );
}

interface Session {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

function Sessions({ id }: { id: string }) {
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

function amount(number: number | undefined, unit: number): string {
  return number === undefined ? '' : String(number / unit);
}

function value(text: string, unit: number): number | undefined {
  return text === '' || Number(text) === 0 ? undefined : Math.round(Number(text) * unit);
}

/** A moment in the form of `datetime-local`, in the time zone of the browser. */
function localText(unixMs: number | undefined): string {
  if (unixMs === undefined) return '';
  const date = new Date(unixMs);
  return new Date(unixMs - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
