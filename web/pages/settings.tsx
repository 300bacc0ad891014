import { useEffect, useState } from 'preact/hooks';

import type { SessionState } from '../../src/server/operations/session-operations.js';
import { call } from '../api.js';
import { messages } from '../language.js';
import { changes } from '../live.js';
import { Check, ErrorText, messageOf, say, TextField } from '../parts/ui.js';
import { Backup } from './backup.js';
import { SettingsHistory } from './settings-history.js';
import { Webhooks } from './webhooks.js';

interface Settings {
  readonly endpoint: string;
  readonly listenPort: number;
  readonly subnet4: string;
  readonly subnet6?: string;
  readonly membersMayAdd?: boolean;
  readonly dns: readonly string[];
  readonly mtu: number;
  readonly persistentKeepaliveSeconds: number;
  readonly defaultSwitches: { readonly internet: boolean; readonly lan: boolean; readonly devices: boolean };
  readonly timeZone: string;
  readonly language: string;
}

interface Status {
  readonly publicKey: string;
  readonly version: string;
  readonly hasRoute: { readonly ipv4: boolean; readonly ipv6: boolean };
  readonly limitations: readonly { readonly what: string }[];
}

/** The settings of the gateway; what would change is shown before it is saved. */
export function SettingsPage({ mayWrite, session }: { mayWrite: boolean; session: SessionState }) {
  const [saved, setSaved] = useState<Settings | undefined>(undefined);
  const m = messages.value.settings;
  useEffect(() => {
    call<Settings>('GET', '/settings').then(setSaved, (failure) => say(messageOf(failure)));
  }, [changes.value]);
  return (
    <div class="stack">
      <div class="head">
        <h1>{m.title}</h1>
      </div>
      {saved === undefined ? (
        <p role="status">{messages.value.loading}</p>
      ) : (
        <Form key={JSON.stringify(saved)} saved={saved} mayWrite={mayWrite} onSaved={setSaved} />
      )}
      <SettingsHistory mayWrite={mayWrite} />
      {session.scopes.includes('webhooks:write') && <Webhooks />}
      {session.scopes.includes('backup:read') && <Backup mayRestore={session.person?.role === 'owner'} />}
      <State />
    </div>
  );
}

function Form({
  saved,
  mayWrite,
  onSaved,
}: {
  saved: Settings;
  mayWrite: boolean;
  onSaved: (settings: Settings) => void;
}) {
  const [draft, setDraft] = useState(saved);
  const [error, setError] = useState('');
  const m = messages.value.settings;
  const changed = (Object.keys(draft) as (keyof Settings)[]).filter(
    (name) => JSON.stringify(draft[name]) !== JSON.stringify(saved[name]),
  );
  const set = (change: Partial<Settings>): void => setDraft({ ...draft, ...change });
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      onSaved(
        await call<Settings>('PATCH', '/settings', Object.fromEntries(changed.map((name) => [name, draft[name]]))),
      );
      say(messages.value.device.saved);
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <form class="card stack" onSubmit={save}>
      <div class="fields">
        <TextField
          label={m.endpoint}
          hint={m.endpointHint}
          value={draft.endpoint}
          onInput={(endpoint) => set({ endpoint })}
          isRequired
        />
        <TextField
          label={m.dns}
          hint={m.dnsHint}
          value={draft.dns.join(' ')}
          onInput={(text) => set({ dns: text.split(/[\s,]+/).filter((part) => part !== '') })}
        />
        <TextField
          label={m.keepalive}
          type="number"
          value={String(draft.persistentKeepaliveSeconds)}
          onInput={(text) => set({ persistentKeepaliveSeconds: Number(text) })}
        />
        <TextField label={m.timeZone} value={draft.timeZone} onInput={(timeZone) => set({ timeZone })} />
        <TextField
          label={m.listenPort}
          type="number"
          value={String(draft.listenPort)}
          onInput={(text) => set({ listenPort: Number(text) })}
        />
        <TextField
          label={m.mtu}
          type="number"
          value={String(draft.mtu)}
          onInput={(text) => set({ mtu: Number(text) })}
        />
        <TextField label={m.subnet4} value={draft.subnet4} onInput={(subnet4) => set({ subnet4 })} />
        <TextField label={m.subnet6} value={draft.subnet6 ?? ''} onInput={(subnet6) => set({ subnet6 })} />
      </div>
      <fieldset>
        <legend>{m.defaults}</legend>
        {(['internet', 'lan', 'devices'] as const).map((name) => (
          <Check
            key={name}
            label={messages.value.device[name === 'devices' ? 'others' : name]}
            isOn={draft.defaultSwitches[name]}
            onChange={(isOn) => set({ defaultSwitches: { ...draft.defaultSwitches, [name]: isOn } })}
          />
        ))}
      </fieldset>
      <Check
        label={m.membersMayAdd}
        isOn={draft.membersMayAdd ?? false}
        onChange={(membersMayAdd) => set({ membersMayAdd })}
      />
      <p class="hint">{m.restartNote}</p>
      {changed.length > 0 && (
        <section aria-live="polite">
          <h2>{m.changes}</h2>
          <ul>
            {changed.map((name) => (
              <li key={name}>
                {name}: <s class="quiet code">{JSON.stringify(saved[name])}</s> →{' '}
                <strong class="code">{JSON.stringify(draft[name])}</strong>
              </li>
            ))}
          </ul>
        </section>
      )}
      <ErrorText error={error} />
      {mayWrite && (
        <div>
          <button type="submit" class="button first" disabled={changed.length === 0}>
            {messages.value.save}
          </button>
        </div>
      )}
    </form>
  );
}

function State() {
  const [status, setStatus] = useState<Status | undefined>(undefined);
  const m = messages.value.settings;
  useEffect(() => {
    call<Status>('GET', '/status').then(setStatus, (failure) => say(messageOf(failure)));
  }, []);
  if (status === undefined) return null;
  return (
    <section class="card">
      <h2>{m.status}</h2>
      <dl class="facts">
        <dt>{messages.value.device.publicKey}</dt>
        <dd class="code">{status.publicKey}</dd>
        <dt>{m.ipv4}</dt>
        <dd>{status.hasRoute.ipv4 ? m.yes : m.no}</dd>
        <dt>{m.ipv6}</dt>
        <dd>{status.hasRoute.ipv6 ? m.yes : m.no}</dd>
        <dt>{m.version}</dt>
        <dd>{status.version}</dd>
      </dl>
      {status.limitations.some(({ what }) => what === 'ping') && <p class="banner">{m.ping}</p>}
    </section>
  );
}
