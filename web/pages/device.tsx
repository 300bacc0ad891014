import { useState } from 'preact/hooks';

import type { DeviceBody } from '../../src/server/operations/device-schemas.js';
import type { SessionState } from '../../src/server/operations/session-operations.js';
import { call } from '../api.js';
import { ago, bytes, dateTime } from '../format.js';
import { makeKeys } from '../keys.js';
import { messages } from '../language.js';
import { devices, isLoaded, nowUnixMs, put } from '../live.js';
import { attempt, Check, CopyText, Dialog, messageOf, say } from '../parts/ui.js';
import { go } from '../router.js';
import { Handover, handOver, pathOf, Steps } from './add-device.js';
import { DeviceForm } from './device-form.js';
import { History, Sessions } from './device-history.js';
import { removeDevice, State } from './devices.js';
import { Flows } from './flows.js';

/** Everything about one device. */
export function Device({ id, mayWrite, session }: { id: string; mayWrite: boolean; session: SessionState }) {
  const device = devices.value.get(id);
  const m = messages.value;
  if (device === undefined) return <p role="status">{isLoaded.value ? m.reasons['removed'] : m.loading}</p>;
  return (
    <div class="stack">
      <a href="#/devices">← {m.device.back}</a>
      {mayWrite ? (
        <Head device={device} />
      ) : (
        <OwnHead device={device} isOwn={session.mayAddOwn === true && device.owner === session.person?.id} />
      )}
      <div class="two">
        <Why device={device} />
        <Facts device={device} />
      </div>
      <History id={id} />
      {mayWrite && (
        <div class="two">
          <Access device={device} />
          <DeviceForm key={device.etag} device={device} />
        </div>
      )}
      <Flows id={id} />
      <Sessions id={id} />
    </div>
  );
}

function Head({ device }: { device: DeviceBody }) {
  const [link, setLink] = useState('');
  const m = messages.value;
  const sendLink = () =>
    attempt(async () => {
      const made = await call<{ link: string }>('POST', `/devices/${device.id}/link`, {});
      setLink(`${location.href.split('#')[0]}#/device-link/${made.link}`);
    });
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
      <div class="row">
        <Reissue device={device} isOwn={false} />
        <button type="button" class="button" onClick={() => void sendLink()}>
          {m.device.sendLink}
        </button>
        <button type="button" class="button" onClick={() => void setBlocked()}>
          {device.isBlocked ? m.devices.unblock : m.devices.block}
        </button>
        <Remove device={device} isOwn={false} />
      </div>
      {link !== '' && (
        <Dialog title={m.device.sendLink} onClose={() => setLink('')}>
          <p>{m.device.linkText}</p>
          <CopyText text={link} label={m.device.linkText} />
        </Dialog>
      )}
    </div>
  );
}

/** What whoever may have own devices does with one. */
function OwnHead({ device, isOwn }: { device: DeviceBody; isOwn: boolean }) {
  return (
    <div class="head">
      <h1>{device.name}</h1>
      {isOwn && (
        <div class="row">
          <Reissue device={device} isOwn={true} />
          <Remove device={device} isOwn={true} />
        </div>
      )}
    </div>
  );
}

function Reissue({ device, isOwn }: { device: DeviceBody; isOwn: boolean }) {
  const [made, setMade] = useState<ReturnType<typeof handOver> | undefined>(undefined);
  const m = messages.value;
  const reissue = () =>
    attempt(async () => {
      const keys = await makeKeys();
      const path = `${pathOf(isOwn)}/${device.id}/reissue`;
      const answer = await call<DeviceBody & { file: string }>('POST', path, { publicKey: keys.publicKey });
      setMade(handOver(answer, keys.privateKey));
    });
  return (
    <>
      <button type="button" class="button" onClick={() => void reissue()}>
        {m.device.reissue}
      </button>
      {made !== undefined && (
        <Dialog title={device.name} onClose={() => setMade(undefined)}>
          <p>{m.device.reissueText}</p>
          <Handover made={made} onClose={() => setMade(undefined)} />
        </Dialog>
      )}
    </>
  );
}

function Remove({ device, isOwn }: { device: DeviceBody; isOwn: boolean }) {
  const remove = () =>
    attempt(async () => {
      await removeDevice(device.id, isOwn);
      go('#/devices');
    });
  return (
    <button type="button" class="button danger" onClick={() => void remove()}>
      {messages.value.devices.remove}
    </button>
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
