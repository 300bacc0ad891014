import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';

import { call, proof } from '../api.js';
import { messages } from '../language.js';
import { Dialog, ErrorText, messageOf, TextField } from './ui.js';

const waiting = signal<((isProved: boolean) => void) | undefined>(undefined);

/** Asks for the password once more. @returns Whether the person has proved it. */
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
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await call('POST', '/step-up', { password });
      end(true);
    } catch (failure) {
      setError(messageOf(failure));
    }
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
          <button type="button" class="button" onClick={() => end(false)}>
            {m.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
