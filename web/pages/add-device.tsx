import { useState } from 'preact/hooks';

import type { DeviceBody } from '../../src/server/operations/device-schemas.js';
import { call } from '../api.js';
import { makeKeys, tunnelName } from '../keys.js';
import { messages } from '../language.js';
import { devices, isLoaded, put } from '../live.js';
import { Qr } from '../parts/qr.js';
import { Check, Dialog, ErrorText, messageOf, TextField } from '../parts/ui.js';

const DAY_MS = 86_400_000;
const GB = 1e9;
const STEPS = ['handshake', 'first-packet', 'name-resolved', 'connected'] as const;

/** A device with its complete file, which exists in this dialog only. */
interface Made {
  readonly id: string;
  readonly name: string;
  readonly file: string;
}

/** Adds a device: its keys are made here, its code is shown here, and it proves itself step by step. */
export function AddDevice({ isOwn, onClose }: { isOwn: boolean; onClose: () => void }) {
  const [made, setMade] = useState<Made | undefined>(undefined);
  const m = messages.value.add;
  return (
    <Dialog title={made === undefined ? m.title : made.name} onClose={onClose}>
      {made === undefined ? (
        <Form isOwn={isOwn} onMade={setMade} onClose={onClose} />
      ) : (
        <Handover made={made} onClose={onClose} />
      )}
    </Dialog>
  );
}

/** Devices in the HTTP interface: all of them, or those of whoever may have own ones only. */
export function pathOf(isOwn: boolean): string {
  return isOwn ? '/own/devices' : '/devices';
}

function Form({ isOwn, onMade, onClose }: { isOwn: boolean; onMade: (made: Made) => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [tags, setTags] = useState('');
  const [days, setDays] = useState('');
  const [quota, setQuota] = useState('');
  const [hasPresharedKey, setPresharedKey] = useState(false);
  const [error, setError] = useState('');
  const m = messages.value.add;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const keys = await makeKeys();
      const rights = {
        tags: tags.split(/\s+/).filter((tag) => tag !== ''),
        ...(days === '' ? {} : { expiresAtUnixMs: Date.now() + Number(days) * DAY_MS }),
        ...(quota === '' ? {} : { limits: { quotaBytes: Math.round(Number(quota) * GB) } }),
      };
      const body = { name, publicKey: keys.publicKey, hasPresharedKey, ...(isOwn ? {} : rights) };
      const device = await call<DeviceBody & { file: string }>('POST', pathOf(isOwn), body);
      onMade(handOver(device, keys.privateKey));
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <form class="stack" onSubmit={submit}>
      <TextField label={m.name} hint={m.nameHint} value={name} onInput={setName} isRequired />
      {!isOwn && (
        <div class="fields">
          <TextField
            label={`${m.tags} (${messages.value.optional})`}
            hint={m.tagsHint}
            value={tags}
            onInput={setTags}
          />
          <TextField label={`${m.expires} (${m.days})`} type="number" value={days} onInput={setDays} />
          <TextField label={`${m.quota} (GB)`} type="number" value={quota} onInput={setQuota} />
        </div>
      )}
      <Check label={m.presharedKey} isOn={hasPresharedKey} onChange={setPresharedKey} />
      <p class="hint">{m.keyNote}</p>
      <ErrorText error={error} />
      <div class="row">
        <button type="submit" class="button first">
          {m.submit}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {messages.value.cancel}
        </button>
      </div>
    </form>
  );
}

/** Keeps the device without its file, and returns the file with the private key. */
export function handOver({ file, ...device }: DeviceBody & { file: string }, privateKey: string): Made {
  put(device);
  return { id: device.id, name: device.name, file: file.replace('PrivateKey = ', `PrivateKey = ${privateKey}`) };
}

/** The code and the file of a device, and how it proves itself. */
export function Handover({
  made,
  onClose,
  hasSteps = true,
}: {
  made: Made;
  onClose: () => void;
  /** Peers of other interfaces prove nothing here. */
  hasSteps?: boolean;
}) {
  const m = messages.value.add;
  const download = (): void => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([made.file], { type: 'application/octet-stream' }));
    link.download = `${tunnelName(made.name)}.conf`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <div class="stack">
      <Qr text={made.file} label={m.scan} />
      <p>
        <strong>{m.scan}.</strong> <span class="quiet">{m.scanText}</span>
      </p>
      {hasSteps && isLoaded.value && <Steps id={made.id} />}
      <div class="row">
        <button type="button" class="button" onClick={download}>
          {m.download}
        </button>
        <button type="button" class="button first" onClick={onClose}>
          {m.done}
        </button>
        <span class="hint">{m.fileName(tunnelName(made.name))}</span>
      </div>
    </div>
  );
}

/** The steps by which a device proves itself, each with its time; the next one says what to do. */
export function Steps({ id }: { id: string }) {
  const m = messages.value.add;
  const proof = devices.value.get(id)?.proof ?? {};
  const next = STEPS.find((step) => proof[step] === undefined);
  return (
    <section aria-live="polite">
      <h2>{m.steps}</h2>
      <ol class="steps">
        {STEPS.map((step) => {
          const at = proof[step];
          return (
            <li key={step} class={at === undefined ? '' : 'done'}>
              <span aria-hidden="true">{at === undefined ? '○' : '●'}</span>
              <span>
                {m.step[step]}
                {step === next && <div class="hint">{m.hint[step]}</div>}
              </span>
              <span class="quiet numbers">{at === undefined ? m.waiting : new Date(at).toLocaleTimeString()}</span>
            </li>
          );
        })}
      </ol>
      {next === undefined && <p class="done">{m.ready}</p>}
    </section>
  );
}
