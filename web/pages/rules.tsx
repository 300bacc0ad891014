import { useEffect, useState } from 'preact/hooks';

import type { RuleBody } from '../../src/server/operations/gateway-schemas.js';
import { call } from '../api.js';
import { messages } from '../language.js';
import { changes } from '../live.js';
import { ErrorText, Field, messageOf, say, TextField } from '../parts/ui.js';
import { type Decision, Denials } from './denials.js';
import { NewRule } from './rule-form.js';
import { DeviceOptions, sentence } from './rule-text.js';

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

function moved(rules: readonly RuleBody[], index: number): RuleBody[] {
  const next = [...rules];
  next.splice(index - 1, 0, ...next.splice(index, 1));
  return next;
}
