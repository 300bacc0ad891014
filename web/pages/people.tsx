import { useEffect, useState } from 'preact/hooks';

import type { SessionState } from '../../src/server/operations/session-operations.js';
import { call } from '../api.js';
import { ago, dateTime } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { Qr } from '../parts/qr.js';
import { CopyText, Dialog, ErrorText, Field, messageOf, say, TextField } from '../parts/ui.js';

interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: keyof ReturnType<typeof roles>;
  readonly isDisabled: boolean;
  readonly hasTotp: boolean;
  readonly lastSignInAtUnixMs?: number;
}

interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAtUnixMs?: number;
  readonly lastUsedAtUnixMs?: number;
}

const SCOPES = [
  'devices:read',
  'devices:write',
  'rules:read',
  'rules:write',
  'settings:read',
  'metrics:read',
  'audit:read',
];

function roles() {
  return messages.value.people.roles;
}

/** People, tokens for programs, and the account of whoever is signed in. */
export function People({ session }: { session: SessionState }) {
  const m = messages.value.people;
  return (
    <div class="stack">
      <div class="head">
        <h1>{m.title}</h1>
      </div>
      {session.scopes.includes('people:read') && <List />}
      {session.scopes.includes('tokens:write') && <Tokens />}
      {session.person !== undefined && <Account hasTotp={session.person.hasTotp} />}
    </div>
  );
}

function List() {
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [role, setRole] = useState('viewer');
  const [link, setLink] = useState('');
  const m = messages.value.people;
  const load = () => call<{ people: Person[] }>('GET', '/people').then((answer) => setPeople(answer.people));
  useEffect(() => {
    void load().catch((failure) => say(messageOf(failure)));
  }, []);
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      await load();
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  const invite = () =>
    act(async () => {
      const made = await call<{ link: string }>('POST', '/invitations', { role });
      setLink(`${location.href.split('#')[0]}#/link/${made.link}`);
    });
  return (
    <section class="card stack">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{messages.value.signIn.name}</th>
              <th scope="col">{m.role}</th>
              <th scope="col" class="wide">
                {m.lastSignIn}
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            {people.map((person) => (
              <tr key={person.id}>
                <td>
                  {person.name} {person.isDisabled && <span class="tag">{m.disabled}</span>}{' '}
                  {person.hasTotp && <span class="tag">{m.totp}</span>}
                </td>
                <td>{roles()[person.role]}</td>
                <td class="wide">{ago(person.lastSignInAtUnixMs, nowUnixMs.value)}</td>
                <td class="end">
                  <button
                    type="button"
                    class="button"
                    onClick={() =>
                      void act(() => call('PATCH', `/people/${person.id}`, { isDisabled: !person.isDisabled }))
                    }
                  >
                    {person.isDisabled ? m.enable : m.disable}
                  </button>{' '}
                  <button
                    type="button"
                    class="button danger"
                    onClick={() => void act(() => call('DELETE', `/people/${person.id}`))}
                  >
                    {m.remove}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="row">
        <Field label={m.role}>
          {(id) => (
            <select id={id} value={role} onChange={(event) => setRole(event.currentTarget.value)}>
              {Object.entries(roles()).map(([name, text]) => (
                <option key={name} value={name}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Field>
        <button type="button" class="button" onClick={() => void invite()}>
          {m.invite}
        </button>
      </div>
      {link !== '' && (
        <div>
          <p>{m.inviteText}</p>
          <CopyText text={link} label={m.inviteText} />
        </div>
      )}
    </section>
  );
}

function Tokens() {
  const [tokens, setTokens] = useState<readonly Token[]>([]);
  const [name, setName] = useState('');
  const [scope, setScope] = useState(SCOPES[0]!);
  const [token, setToken] = useState('');
  const m = messages.value.people;
  const load = () => call<{ tokens: Token[] }>('GET', '/tokens').then((answer) => setTokens(answer.tokens));
  useEffect(() => {
    void load().catch((failure) => say(messageOf(failure)));
  }, []);
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      await load();
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  const make = (event: Event): void => {
    event.preventDefault();
    void act(async () => setToken((await call<{ token: string }>('POST', '/tokens', { name, scopes: [scope] })).token));
  };
  return (
    <section class="card stack">
      <h2>{m.tokens}</h2>
      {tokens.length > 0 && (
        <div class="scroll">
          <table>
            <tbody>
              {tokens.map((each) => (
                <tr key={each.id}>
                  <td>{each.name}</td>
                  <td class="code">{each.scopes.join(' ')}</td>
                  <td class="quiet wide">
                    {m.lastUsed}: {ago(each.lastUsedAtUnixMs, nowUnixMs.value)}
                  </td>
                  <td class="quiet wide">
                    {each.expiresAtUnixMs === undefined ? '' : `${m.expires}: ${dateTime(each.expiresAtUnixMs)}`}
                  </td>
                  <td class="end">
                    <button
                      type="button"
                      class="button danger"
                      onClick={() => void act(() => call('DELETE', `/tokens/${each.id}`))}
                    >
                      {m.remove}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <form class="fields" onSubmit={make}>
        <TextField label={messages.value.add.name} value={name} onInput={setName} isRequired />
        <Field label={m.scopes}>
          {(id) => (
            <select id={id} value={scope} onChange={(event) => setScope(event.currentTarget.value)}>
              {SCOPES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <div>
          <button type="submit" class="button">
            {m.makeToken}
          </button>
        </div>
      </form>
      {token !== '' && (
        <div>
          <p>{m.tokenText}</p>
          <CopyText text={token} label={m.tokenText} />
        </div>
      )}
    </section>
  );
}

function Account({ hasTotp }: { hasTotp: boolean }) {
  const [isOn, setOn] = useState(hasTotp);
  const [offer, setOffer] = useState<{ secret: string; uri: string } | undefined>(undefined);
  const m = messages.value.people;
  const act = (work: () => Promise<void>): void => {
    void work().catch((failure) => say(messageOf(failure)));
  };
  const turnOff = async (): Promise<void> => {
    await call('DELETE', '/account/totp');
    setOn(false);
  };
  return (
    <section class="card">
      <h2>{m.account}</h2>
      {isOn ? (
        <button type="button" class="button" onClick={() => act(turnOff)}>
          {m.totpOff}
        </button>
      ) : (
        <button
          type="button"
          class="button"
          onClick={() => act(async () => setOffer(await call('POST', '/account/totp', {})))}
        >
          {m.totpOn}
        </button>
      )}
      {offer !== undefined && (
        <TotpDialog
          offer={offer}
          onClose={(isNowOn) => {
            setOffer(undefined);
            setOn(isNowOn);
          }}
        />
      )}
    </section>
  );
}

function TotpDialog({ offer, onClose }: { offer: { secret: string; uri: string }; onClose: (isOn: boolean) => void }) {
  const [code, setCode] = useState('');
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [error, setError] = useState('');
  const m = messages.value.people;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      setCodes(
        (await call<{ recoveryCodes: string[] }>('POST', '/account/totp/confirm', { secret: offer.secret, code }))
          .recoveryCodes,
      );
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  const isOn = codes.length > 0;
  return (
    <Dialog title={m.totpOn} onClose={() => onClose(isOn)}>
      {isOn ? (
        <>
          <p>{m.recovery}</p>
          <p class="code">{codes.join('  ')}</p>
          <div>
            <button type="button" class="button first" onClick={() => onClose(true)}>
              {messages.value.close}
            </button>
          </div>
        </>
      ) : (
        <form class="stack" onSubmit={submit}>
          <p>{m.totpScan}</p>
          <Qr text={offer.uri} label={m.totpScan} />
          <p class="code">{offer.secret}</p>
          <TextField
            label={messages.value.signIn.code}
            value={code}
            onInput={setCode}
            autoComplete="one-time-code"
            isRequired
          />
          <ErrorText error={error} />
          <div>
            <button type="submit" class="button first">
              {messages.value.signIn.create}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
