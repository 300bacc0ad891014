import { useState } from 'preact/hooks';

import type { SessionState } from '../../src/server/operations/session-operations.js';
import { call } from '../api.js';
import { messages } from '../language.js';
import { Preferences } from '../parts/preferences.js';
import { ErrorText, messageOf, TextField } from '../parts/ui.js';
import { canUsePasskeys, usePasskey } from '../passkeys.js';
import { route } from '../router.js';

/** Signing in, and the page of a one-time link. */
export function Gate({ session, link, onSignedIn }: { session: SessionState; link: string; onSignedIn: () => void }) {
  const m = messages.value.signIn;
  const isNew = session.state === 'set-up-needed';
  const title = link === '' ? m.title : isNew ? m.setUpTitle : m.linkTitle;
  return (
    <main class="gate" tabIndex={-1}>
      <div class="card stack">
        <h1>{title}</h1>
        {link === '' && isNew ? (
          <p>{m.setUpNeeded}</p>
        ) : link === '' ? (
          <>
            <SignIn onSignedIn={onSignedIn} />
            <OtherWays session={session} link={link} onSignedIn={onSignedIn} />
          </>
        ) : (
          <>
            <UseLink link={link} isNew={isNew} onSignedIn={onSignedIn} />
            {!isNew && <OtherWays session={session} link={link} onSignedIn={onSignedIn} />}
          </>
        )}
        <Preferences />
      </div>
    </main>
  );
}

/** Passkeys, and the OpenID provider. An invitation can be taken by the provider as well. */
function OtherWays({ session, link, onSignedIn }: { session: SessionState; link: string; onSignedIn: () => void }) {
  const refusal = route.value.page === 'refused' ? route.value.rest : '';
  const [error, setError] = useState(refusal === '' ? '' : messages.value.signIn.refused);
  const m = messages.value.signIn;
  const act = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  const byPasskey = async (): Promise<void> => {
    await usePasskey('/sign-in/passkey');
    onSignedIn();
  };
  const byProvider = async (): Promise<void> => {
    const body = link === '' ? {} : { link };
    location.href = (await call<{ url: string }>('POST', '/sign-in/oidc', body)).url;
  };
  return (
    <>
      {link === '' && canUsePasskeys() && (
        <button type="button" class="button" onClick={() => void act(byPasskey)}>
          {m.passkey}
        </button>
      )}
      {session.oidc !== undefined && (
        <button type="button" class="button" onClick={() => void act(byProvider)}>
          {m.provider(session.oidc.name)}
        </button>
      )}
      <ErrorText error={error} />
    </>
  );
}

function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState<string | undefined>(undefined);
  const [error, setError] = useState('');
  const m = messages.value.signIn;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const body = { name, password, ...(code === undefined ? {} : { code }) };
      const { state } = await call<{ state: string }>('POST', '/sign-in', body);
      setError('');
      if (state === 'code-needed') setCode('');
      else onSignedIn();
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <form class="stack" onSubmit={submit}>
      <TextField label={m.name} value={name} onInput={setName} autoComplete="username" isRequired />
      <TextField
        label={m.password}
        value={password}
        onInput={setPassword}
        type="password"
        autoComplete="current-password"
        isRequired
      />
      {code !== undefined && (
        <TextField
          label={m.code}
          hint={m.codeHint}
          value={code}
          onInput={setCode}
          autoComplete="one-time-code"
          isRequired
        />
      )}
      <ErrorText error={error} />
      <button type="submit" class="button first">
        {m.submit}
      </button>
    </form>
  );
}

function UseLink({ link, isNew, onSignedIn }: { link: string; isNew: boolean; onSignedIn: () => void }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState('');
  const m = messages.value.signIn;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await call('POST', '/link', { link, ...(name === '' ? {} : { name }), password });
      location.hash = '#/devices';
      onSignedIn();
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <form class="stack" onSubmit={submit}>
      <p>{isNew ? m.setUpText : m.linkText}</p>
      <TextField label={m.name} value={name} onInput={setName} autoComplete="username" />
      <TextField
        label={m.newPassword}
        hint={m.passwordHint}
        value={password}
        onInput={setPassword}
        type="password"
        autoComplete="new-password"
        isRequired
      />
      <ErrorText error={error} />
      <button type="submit" class="button first">
        {m.create}
      </button>
    </form>
  );
}
