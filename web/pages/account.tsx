import { useState } from 'preact/hooks';

import type { SessionState } from '../../src/server/operations/session-operations.js';
import { call } from '../api.js';
import { messages } from '../language.js';
import { Qr } from '../parts/qr.js';
import { Dialog, ErrorText, messageOf, say, TextField } from '../parts/ui.js';
import { Passkeys } from './passkeys.js';

/** The account of whoever is signed in. */
export function Account({ session }: { session: SessionState }) {
  const [isOn, setOn] = useState(session.person?.hasTotp ?? false);
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
    <section class="card stack">
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
      <Passkeys />
      {session.oidc !== undefined && (
        <Identity name={session.oidc.name} isLinked={session.person?.hasIdentity ?? false} act={act} />
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

/** The account at the OpenID provider. */
function Identity(props: { name: string; isLinked: boolean; act: (work: () => Promise<void>) => void }) {
  const [isLinked, setLinked] = useState(props.isLinked);
  const m = messages.value.people;
  const link = async (): Promise<void> => {
    location.href = (await call<{ url: string }>('POST', '/account/oidc', {})).url;
  };
  const unlink = async (): Promise<void> => {
    await call('DELETE', '/account/oidc');
    setLinked(false);
  };
  return (
    <div>
      <button type="button" class="button" onClick={() => props.act(isLinked ? unlink : link)}>
        {isLinked ? m.unlink(props.name) : m.link(props.name)}
      </button>
    </div>
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
