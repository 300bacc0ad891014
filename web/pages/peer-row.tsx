import { useState } from 'preact/hooks';

import type { HostPeer } from '../../src/server/host-interfaces.js';
import { call } from '../api.js';
import { ago, bytes } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { attempt, Dialog, TextField } from '../parts/ui.js';

/** Does something, and loads the interface again. */
export type Act = (work: () => Promise<unknown>) => Promise<void>;

interface Explanation {
  readonly reason: string;
  readonly advice: readonly { readonly problem: string; readonly nextStep: string }[];
}

const CLASSES: Record<HostPeer['state'], string> = {
  online: 'online',
  asleep: 'asleep',
  'never-seen': 'never-seen',
  disabled: 'blocked',
  expired: 'blocked',
  'not-running': 'asleep',
};

export interface PeerRowProps {
  readonly peer: HostPeer;
  /** Absent: nothing moved since the last look. */
  readonly rate: { readonly up: number; readonly down: number } | undefined;
  /** Of the peer, in the HTTP interface. */
  readonly path: string;
  readonly mayChange: boolean;
  readonly act: Act;
}

/** A peer of an interface, with what can be done to it. */
export function PeerRow(props: PeerRowProps) {
  const { peer, rate } = props;
  const { interfaces, perSecond } = messages.value;
  return (
    <tr>
      <td>{titleOf(peer)}</td>
      <td>
        <span class={`state ${CLASSES[peer.state]}`}>{interfaces.states[peer.state]}</span>
        <div class="hint">{ago(peer.lastHandshakeUnixMs, nowUnixMs.value)}</div>
      </td>
      <td class="wide code">{peer.allowedIps.join(', ')}</td>
      <td class="end numbers">
        {rate === undefined ? '–' : `↑ ${bytes(rate.up)}${perSecond} ↓ ${bytes(rate.down)}${perSecond}`}
      </td>
      <td class="end numbers wide">
        ↑ {bytes(peer.receivedBytes)} ↓ {bytes(peer.sentBytes)}
      </td>
      <td>
        <div class="row">
          <Why {...props} />
          {props.mayChange && <Changes {...props} />}
        </div>
      </td>
    </tr>
  );
}

function Why({ peer, path }: PeerRowProps) {
  const [why, setWhy] = useState<Explanation | undefined>(undefined);
  const m = messages.value.interfaces;
  const title = titleOf(peer);
  const ask = () => attempt(async () => setWhy(await call<Explanation>('GET', `${path}/explain`)));
  return (
    <>
      <button type="button" class="button" aria-label={`${m.why} ${title}`} onClick={() => void ask()}>
        {m.why}
      </button>
      {why !== undefined && (
        <Dialog title={title} onClose={() => setWhy(undefined)}>
          <p>{why.reason}</p>
          {why.advice.map(({ problem, nextStep }) => (
            <p key={problem}>
              {problem} <span class="code">{nextStep}</span>
            </p>
          ))}
        </Dialog>
      )}
    </>
  );
}

function Changes({ peer, path, act }: PeerRowProps) {
  const [isRenaming, setRenaming] = useState(false);
  const m = messages.value;
  const title = titleOf(peer);
  const isDisabled = peer.state === 'disabled' || peer.state === 'expired';
  const button = (text: string, onClick: () => void, kind = '') => (
    <button type="button" class={`button ${kind}`} aria-label={`${text} ${title}`} onClick={onClick}>
      {text}
    </button>
  );
  return (
    <>
      {button(m.interfaces.rename, () => setRenaming(true))}
      {button(
        isDisabled ? m.people.enable : m.people.disable,
        () => void act(() => call('PATCH', path, { isDisabled: !isDisabled })),
      )}
      {button(m.people.remove, () => void act(() => call('DELETE', path)), 'danger')}
      {isRenaming && <Rename peer={peer} path={path} act={act} onClose={() => setRenaming(false)} />}
    </>
  );
}

function Rename({ peer, path, act, onClose }: Pick<PeerRowProps, 'peer' | 'path' | 'act'> & { onClose: () => void }) {
  const [name, setName] = useState(peer.name ?? '');
  const m = messages.value;
  const submit = (event: Event): void => {
    event.preventDefault();
    void act(() => call('PATCH', path, { peerName: name })).then(onClose);
  };
  return (
    <Dialog title={titleOf(peer)} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <TextField label={m.devices.name} value={name} onInput={setName} isRequired />
        <div>
          <button type="submit" class="button first">
            {m.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function titleOf({ name, publicKey }: HostPeer): string {
  return name ?? `${publicKey.slice(0, 12)}…`;
}
