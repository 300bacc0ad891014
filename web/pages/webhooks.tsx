import { useState } from 'preact/hooks';

import { call } from '../api.js';
import { dateTime } from '../format.js';
import { messages } from '../language.js';
import { useReloading } from '../parts/reloading.js';
import { CopyText, TextField } from '../parts/ui.js';

interface Webhook {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly isEnabled: boolean;
}

interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly createdAtUnixMs: number;
  readonly attempts: number;
  readonly status?: number;
  readonly error?: string;
}

/** Where the gateway tells what happened, and how that went. */
export function Webhooks() {
  const [webhooks, setWebhooks] = useState<readonly Webhook[]>([]);
  const [draft, setDraft] = useState({ name: '', url: '' });
  const [secret, setSecret] = useState('');
  const m = messages.value.webhooks;
  const load = () => call<{ webhooks: Webhook[] }>('GET', '/webhooks').then((answer) => setWebhooks(answer.webhooks));
  const act = useReloading(load);
  const make = (event: Event): void => {
    event.preventDefault();
    void act(async () => {
      setSecret((await call<{ secret: string }>('POST', '/webhooks', draft)).secret);
      setDraft({ name: '', url: '' });
    });
  };
  return (
    <section class="card stack">
      <h2>{m.title}</h2>
      <p class="hint">{m.text}</p>
      {webhooks.map((webhook) => (
        <One key={webhook.id} webhook={webhook} act={act} />
      ))}
      <form class="row" onSubmit={make}>
        <TextField
          label={messages.value.signIn.name}
          value={draft.name}
          onInput={(name) => setDraft({ ...draft, name })}
          isRequired
        />
        <TextField
          label="URL"
          value={draft.url}
          placeholder="https://"
          onInput={(url) => setDraft({ ...draft, url })}
          isRequired
        />
        <button type="submit" class="button">
          {m.add}
        </button>
      </form>
      {secret !== '' && (
        <>
          <p>{m.secret}</p>
          <CopyText text={secret} label={m.secret} />
        </>
      )}
    </section>
  );
}

function One({ webhook, act }: { webhook: Webhook; act: ReturnType<typeof useReloading> }) {
  const [deliveries, setDeliveries] = useState<readonly Delivery[] | undefined>(undefined);
  const m = messages.value;
  const { id, name, url, isEnabled } = webhook;
  const show = () =>
    act(async () =>
      setDeliveries((await call<{ deliveries: Delivery[] }>('GET', `/webhooks/${id}/deliveries`)).deliveries),
    );
  return (
    <div class="stack">
      <div class="row">
        <span>
          <strong>{name}</strong> <span class="code">{url}</span>
        </span>
        <button
          type="button"
          class="button"
          onClick={() => void act(() => call('POST', `/webhooks/${id}/test`, {})).then(show)}
        >
          {m.webhooks.test}
        </button>
        <button type="button" class="button" onClick={() => void show()}>
          {m.webhooks.deliveries}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => void act(() => call('PATCH', `/webhooks/${id}`, { isEnabled: !isEnabled }))}
        >
          {isEnabled ? m.people.disable : m.people.enable}
        </button>
        <button type="button" class="button danger" onClick={() => void act(() => call('DELETE', `/webhooks/${id}`))}>
          {m.people.remove}
        </button>
      </div>
      {deliveries !== undefined && (
        <ul>
          {deliveries.length === 0 && <li class="quiet">{m.webhooks.none}</li>}
          {deliveries.map((delivery) => (
            <li key={delivery.id}>
              {dateTime(delivery.createdAtUnixMs)} <span class="code">{delivery.event}</span>{' '}
              {delivery.error ?? delivery.status ?? m.webhooks.waiting} ({delivery.attempts})
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
