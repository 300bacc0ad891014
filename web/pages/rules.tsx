import { useEffect, useState } from 'preact/hooks';

import type { RuleBody } from '../../src/server/operations/gateway-schemas.js';
import { call } from '../api.js';
import { ago } from '../format.js';
import { messages } from '../language.js';
import { changes, devices, nowUnixMs } from '../live.js';
import { ErrorText, Field, messageOf, say, TextField } from '../parts/ui.js';

interface Decision {
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

/** Access in sentences, a box to try them, and what was refused. */
export function Rules({ mayWrite }: { mayWrite: boolean }) {
  const [rules, setRules] = useState<readonly RuleBody[]>([]);
  const m = messages.value.rules;
  useEffect(() => {
    call<{ rules: RuleBody[] }>('GET', '/rules').then(
      (answer) => setRules(answer.rules),
      (failure) => say(messageOf(failure)),
    );
  }, [changes.value]);
  const save = async (next: readonly RuleBody[], undo?: readonly RuleBody[]): Promise<void> => {
    try {
      const answer = await call<{ rules: RuleBody[] }>('PUT', '/rules', { rules: next });
      setRules(answer.rules);
      say(messages.value.device.saved, undo === undefined ? undefined : () => void save(undo));
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  return (
    <div class="stack">
      <div class="head">
        <h1>{m.title}</h1>
      </div>
      <section class="card">
        <p class="quiet">{m.text}</p>
        {rules.length === 0 && <p>{m.none}</p>}
        <ol class="steps">
          {rules.map((rule, index) => (
            <li key={rule.id} class="rule">
              <span class={`verdict ${rule.action === 'allow' ? 'yes' : 'no'}`} aria-hidden="true">
                {rule.action === 'allow' ? '✓' : '✕'}
              </span>
              <span>{sentence(rule)}</span>
              {mayWrite && (
                <span class="row">
                  <button
                    type="button"
                    class="button plain"
                    aria-label={m.up}
                    disabled={index === 0}
                    onClick={() => void save(moved(rules, index), rules)}
                  >
                    ↑
                  </button>
                  <button
                    type="button"
                    class="button plain danger"
                    aria-label={`${m.remove}: ${sentence(rule)}`}
                    onClick={() =>
                      void save(
                        rules.filter((each) => each !== rule),
                        rules,
                      )
                    }
                  >
                    ✕
                  </button>
                </span>
              )}
            </li>
          ))}
        </ol>
      </section>
      <div class="two">
        {mayWrite && <NewRule onAdd={(rule) => void save([...rules, rule], rules)} />}
        <TryIt rules={rules} />
      </div>
      <Denials {...(mayWrite ? { onAllow: (rule: RuleBody) => void save([rule, ...rules], rules) } : {})} />
    </div>
  );
}

function NewRule({ onAdd }: { onAdd: (rule: RuleBody) => void }) {
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

function TryIt({ rules }: { rules: readonly RuleBody[] }) {
  const [device, setDevice] = useState('');
  const [address, setAddress] = useState('');
  const [port, setPort] = useState('443');
  const [decision, setDecision] = useState<Decision | undefined>(undefined);
  const [error, setError] = useState('');
  const m = messages.value.rules;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const body = { device, protocol: 'tcp', destination: address, port: Number(port) };
      setDecision((await call<{ decision: Decision }>('POST', '/rules/test', body)).decision);
      setError('');
    } catch (failure) {
      setDecision(undefined);
      setError(messageOf(failure));
    }
  };
  const rule = rules.find(({ id }) => id === decision?.rule);
  return (
    <section class="card">
      <h2>{m.test}</h2>
      <form class="stack" onSubmit={submit}>
        <div class="fields">
          <Field label={m.testDevice}>
            {(id) => (
              <select id={id} value={device} required onChange={(event) => setDevice(event.currentTarget.value)}>
                <option value="" />
                <DeviceOptions />
              </select>
            )}
          </Field>
          <TextField label={m.testAddress} placeholder="192.168.1.10" value={address} onInput={setAddress} isRequired />
          <TextField label={m.port} type="number" value={port} onInput={setPort} />
        </div>
        <ErrorText error={error} />
        <p role="status">
          {decision !== undefined && (
            <>
              <span class={`verdict ${decision.isAllowed ? 'yes' : 'no'}`}>
                {decision.isAllowed ? m.allowed : m.denied}
              </span>{' '}
              – {m.why[decision.reason] ?? decision.reason} {rule !== undefined && sentence(rule)}
            </>
          )}
        </p>
        <div>
          <button type="submit" class="button">
            {m.testSubmit}
          </button>
        </div>
      </form>
    </section>
  );
}

function Denials({ onAllow }: { onAllow?: (rule: RuleBody) => void }) {
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

export function DeviceOptions() {
  return (
    <>
      {[...devices.value.values()].map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </>
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

/** Says a rule as a sentence. */
export function sentence({ action, from, to, protocol, ports }: RuleBody): string {
  const m = messages.value.rules;
  const nameOf = (id: string) => devices.value.get(id)?.name ?? id;
  const who =
    from.kind === 'everyone' ? messages.value.everyone : from.kind === 'tag' ? `#${from.tag}` : nameOf(from.device);
  const what =
    to.kind === 'prefix'
      ? to.prefix
      : to.kind === 'device'
        ? nameOf(to.device)
        : to.kind === 'tag'
          ? `#${to.tag}`
          : (m.targets[to.kind] ?? to.kind);
  const range =
    ports === undefined ? '' : ports.first === ports.last ? `${ports.first}` : `${ports.first}–${ports.last}`;
  const how = protocol === undefined ? '' : `${protocol.toUpperCase()}${range === '' ? '' : ` ${range}`}`;
  return m.sentence(action === 'allow' ? m.allow : m.deny, who, what, how);
}

function moved(rules: readonly RuleBody[], index: number): RuleBody[] {
  const next = [...rules];
  next.splice(index - 1, 0, ...next.splice(index, 1));
  return next;
}
