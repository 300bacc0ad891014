import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';

import { call, proof } from '../api.js';
import { messages } from '../language.js';
import { canUsePasskeys, usePasskey } from '../passkeys.js';
import { Dialog, ErrorText, messageOf, TextField } from './ui.js';

const waiting = signal<((isProved: boolean) => void) | undefined>(undefined);

/** Asks for the password or a passkey once more. @returns Whether the person has proved it. */
proof.ask = () =>
  new Promise((resolve) => {
    waiting.value = resolve;
  });

export function ProofDialog() {
  return waiting.value === undefined ? null : <Ask resolve={waiting.value} />;
}

function Ask({ resolve }: { resolve: (isProved: boolean) => void }) {
  const [password, setPassword] = useState('');
  const [error, setError] = useState('');
  const m = messages.value;
  const end = (isProved: boolean): void => {
    waiting.value = undefined;
    resolve(isProved);
  };
  const prove = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      end(true);
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void prove(() => call('POST', '/step-up', { password }));
  };
  return (
    <Dialog title={m.people.proveTitle} onClose={() => end(false)}>
      <form class="stack" onSubmit={submit}>
        <p>{m.people.proveText}</p>
        <TextField
          label={m.signIn.password}
          type="password"
          autoComplete="current-password"
          isRequired
          value={password}
          onInput={setPassword}
        />
        <ErrorText error={error} />
        <div class="row">
          <button type="submit" class="button first">
            {m.signIn.create}
          </button>
          {canUsePasskeys() && (
            <button type="button" class="button" onClick={() => void prove(() => usePasskey('/step-up/passkey'))}>
              {m.signIn.passkey}
            </button>
          )}
          <button type="button" class="button" onClick={() => end(false)}>
            {m.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
