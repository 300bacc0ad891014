import { useState } from 'preact/hooks';

import type { RuleBody } from '../../src/server/operations/gateway-schemas.js';
import { messages } from '../language.js';
import { Field, TextField } from '../parts/ui.js';
import { DeviceOptions } from './rule-text.js';

/** A rule is put together, as a sentence would be. */
export function NewRule({ onAdd }: { onAdd: (rule: RuleBody) => void }) {
  const [action, setAction] = useState<RuleBody['action']>('allow');
  const [from, setFrom] = useState('everyone');
  const [to, setTo] = useState('prefix');
  const [prefix, setPrefix] = useState('');
  const [protocol, setProtocol] = useState('');
  const [port, setPort] = useState('');
  const m = messages.value.rules;
  const submit = (event: Event): void => {
    event.preventDefault();
    onAdd({
      action,
      from: from === 'everyone' ? { kind: 'everyone' } : { kind: 'device', device: from },
      to: to === 'prefix' ? { kind: 'prefix', prefix } : ({ kind: to } as RuleBody['to']),
      ...(protocol === '' && port === '' ? {} : { protocol: (protocol === '' ? 'tcp' : protocol) as 'tcp' }),
      ...(port === '' ? {} : { ports: { first: Number(port), last: Number(port) } }),
    });
  };
  return (
    <section class="card">
      <h2>{m.add}</h2>
      <form class="stack" onSubmit={submit}>
        <div class="fields">
          <Field label={`${m.allow} / ${m.deny}`}>
            {(id) => (
              <select
                id={id}
                value={action}
                onChange={(event) => setAction(event.currentTarget.value as RuleBody['action'])}
              >
                <option value="allow">{m.allow}</option>
                <option value="deny">{m.deny}</option>
              </select>
            )}
          </Field>
          <Field label={m.from}>
            {(id) => (
              <select id={id} value={from} onChange={(event) => setFrom(event.currentTarget.value)}>
                <option value="everyone">{messages.value.everyone}</option>
                <DeviceOptions />
              </select>
            )}
          </Field>
          <Field label={m.to}>
            {(id) => (
              <select id={id} value={to} onChange={(event) => setTo(event.currentTarget.value)}>
                <option value="prefix">{m.prefix}</option>
                {Object.entries(m.targets).map(([kind, text]) => (
                  <option key={kind} value={kind}>
                    {text}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {to === 'prefix' && (
            <TextField label={m.prefix} placeholder="192.168.1.10" value={prefix} onInput={setPrefix} isRequired />
          )}
          <Field label={m.protocol}>
            {(id) => (
              <select id={id} value={protocol} onChange={(event) => setProtocol(event.currentTarget.value)}>
                <option value="">{m.anyProtocol}</option>
                <option value="tcp">TCP</option>
                <option value="udp">UDP</option>
                <option value="icmp">ICMP</option>
              </select>
            )}
          </Field>
          <TextField label={m.port} type="number" placeholder={m.anyPort} value={port} onInput={setPort} />
        </div>
        <div>
          <button type="submit" class="button first">
            {m.add}
          </button>
        </div>
      </form>
    </section>
  );
}
