import { useState } from 'preact/hooks';

import type { SessionState } from '../../src/server/operations/session-operations.js';
import { call } from '../api.js';
import { ago } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { useReloading } from '../parts/reloading.js';
import { CopyText, Field } from '../parts/ui.js';
import { Account } from './account.js';
import { Tokens } from './tokens.js';

interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: keyof ReturnType<typeof roles>;
  readonly isDisabled: boolean;
  readonly hasTotp: boolean;
  readonly lastSignInAtUnixMs?: number;
}

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
      {session.person !== undefined && <Account session={session} />}
    </div>
  );
}

function List() {
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [role, setRole] = useState('viewer');
  const [link, setLink] = useState('');
  const m = messages.value.people;
  const load = () => call<{ people: Person[] }>('GET', '/people').then((answer) => setPeople(answer.people));
  const act = useReloading(load);
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
