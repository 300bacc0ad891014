import { useState } from 'preact/hooks';

import { call } from '../api.js';
import { makeKeys } from '../keys.js';
import { messages } from '../language.js';
import { Dialog, messageOf, say, TextField } from '../parts/ui.js';
import { Handover } from './add-device.js';

/** Adds a peer to an interface: its keys are made here. */
export function AddPeer({ name, onClose }: { name: string; onClose: () => void }) {
  const [peerName, setPeerName] = useState('');
  const [made, setMade] = useState<{ id: string; name: string; file: string } | undefined>(undefined);
  const m = messages.value.interfaces;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const keys = await makeKeys();
      const body = { peerName, publicKey: keys.publicKey };
      const { file } = await call<{ file: string }>('POST', `/interfaces/${name}/peers`, body);
      setMade({ id: '', name: peerName, file: file.replace('PrivateKey = ', `PrivateKey = ${keys.privateKey}`) });
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  return (
    <Dialog title={made?.name ?? m.add} onClose={onClose}>
      {made !== undefined ? (
        <Handover made={made} onClose={onClose} hasSteps={false} />
      ) : (
        <form class="stack" onSubmit={submit}>
          <TextField label={messages.value.devices.name} value={peerName} onInput={setPeerName} isRequired />
          <p class="hint">{messages.value.add.keyNote}</p>
          <div>
            <button type="submit" class="button first">
              {messages.value.add.submit}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
