import { useEffect, useState } from 'preact/hooks';

import type { DeviceBody } from '../../src/server/operations/device-schemas.js';
import { call } from '../api.js';
import { makeKeys } from '../keys.js';
import { messages } from '../language.js';
import { Preferences } from '../parts/preferences.js';
import { ErrorText, messageOf } from '../parts/ui.js';
import { Handover, handOver } from './add-device.js';

/** The page of a link that works once: whoever holds the device makes its key here. */
export function DeviceLink({ id: link }: { id: string }) {
  const [name, setName] = useState('');
  const [made, setMade] = useState<ReturnType<typeof handOver> | undefined>(undefined);
  const [error, setError] = useState('');
  const m = messages.value.device;
  useEffect(() => {
    call<{ name: string }>('POST', '/device-link/look', { link }).then(
      (answer) => setName(answer.name),
      (failure) => setError(messageOf(failure)),
    );
  }, [link]);
  const show = async (): Promise<void> => {
    try {
      const keys = await makeKeys();
      const body = { link, publicKey: keys.publicKey };
      setMade(handOver(await call<DeviceBody & { file: string }>('POST', '/device-link', body), keys.privateKey));
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <main class="gate" tabIndex={-1}>
      <div class="card stack">
        <h1>{name === '' ? messages.value.title : m.linkTitle(name)}</h1>
        <ErrorText error={error} />
        {made !== undefined ? (
          <Handover made={made} onClose={() => setMade(undefined)} />
        ) : (
          name !== '' && (
            <>
              <p>{m.linkNote}</p>
              <button type="button" class="button first" onClick={() => void show()}>
                {m.linkStart}
              </button>
            </>
          )
        )}
        <Preferences />
      </div>
    </main>
  );
}
