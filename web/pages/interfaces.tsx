import { useEffect, useState } from 'preact/hooks';

import type { HostInterface, HostInterfaceDetail, HostPeer } from '../../src/server/host-interfaces.js';
import { call } from '../api.js';
import { ago, bytes } from '../format.js';
import { makeKeys } from '../keys.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { attempt, Dialog, messageOf, say, TextField } from '../parts/ui.js';
import { Handover } from './add-device.js';

const EVERY_MS = 2_000;

type Act = (work: () => Promise<unknown>) => Promise<void>;

/** The WireGuard interfaces of this host, by their files and live. */
export function Interfaces({ id, mayWrite }: { id: string; mayWrite: boolean }) {
  return id === '' ? <List /> : <One key={id} name={id} mayWrite={mayWrite} />;
}

function List() {
  const [found, setFound] = useState<readonly HostInterface[] | undefined>(undefined);
  const m = messages.value.interfaces;
  useEffect(() => {
    void attempt(async () => setFound((await call<{ interfaces: HostInterface[] }>('GET', '/interfaces')).interfaces));
  }, []);
  return (
    <div class="stack">
      <div class="head">
        <h1>{m.title}</h1>
      </div>
      <p class="quiet">{m.text}</p>
      {found?.length === 0 && <p>{m.none}</p>}
      <ul class="stack">
        {found?.map(({ name, isRunning, hasFile }) => (
          <li key={name} class="card row">
            <a href={`#/interfaces/${name}`}>{name}</a>
            <span class={`state ${isRunning ? 'online' : 'asleep'}`}>{isRunning ? m.running : m.stopped}</span>
            {!hasFile && <span class="quiet">{m.noFile}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What a peer carried since the last look, by key. */
type Rates = ReadonlyMap<string, { readonly up: number; readonly down: number }>;

function One({ name, mayWrite }: { name: string; mayWrite: boolean }) {
  const [detail, setDetail] = useState<HostInterfaceDetail | undefined>(undefined);
  const [rates, setRates] = useState<Rates>(new Map());
  const [isAdding, setAdding] = useState(false);
  const [error, setError] = useState('');
  const m = messages.value.interfaces;
  useEffect(() => {
    let before: HostInterfaceDetail | undefined;
    const load = async (): Promise<void> => {
      if (document.hidden && before !== undefined) return;
      try {
        const now = await call<HostInterfaceDetail>('GET', `/interfaces/${name}`);
        setRates(ratesOf(before, now));
        setDetail(now);
        setError('');
        before = now;
      } catch (failure) {
        setError(messageOf(failure));
      }
    };
    void load();
    const timer = setInterval(() => void load(), EVERY_MS);
    return () => clearInterval(timer);
  }, [name]);
  const act: Act = (work) =>
    attempt(async () => {
      await work();
      setDetail(await call<HostInterfaceDetail>('GET', `/interfaces/${name}`));
    });
  const mayChange = mayWrite && detail?.hasFile === true;
  return (
    <div class="stack">
      <a href="#/interfaces">← {m.title}</a>
      <div class="head">
        <h1>{name}</h1>
        {mayChange && (
          <button type="button" class="button first" onClick={() => setAdding(true)}>
            {m.add}
          </button>
        )}
      </div>
      {error !== '' && (
        <p class="banner" role="alert">
          {error}
        </p>
      )}
      {detail !== undefined && <Peers detail={detail} rates={rates} mayChange={mayChange} act={act} />}
      <section class="card">
        <h2>{m.notHere}</h2>
        <p class="quiet">{m.notHereText}</p>
      </section>
      {isAdding && <AddPeer name={name} onClose={() => void act(async () => setAdding(false))} />}
    </div>
  );
}

function Peers({
  detail,
  rates,
  mayChange,
  act,
}: {
  detail: HostInterfaceDetail;
  rates: Rates;
  mayChange: boolean;
  act: Act;
}) {
  const m = messages.value.interfaces;
  if (detail.peers.length === 0) return <p>{m.noPeers}</p>;
  return (
    <div class="card scroll list">
      <table>
        <thead>
          <tr>
            <th scope="col">{messages.value.devices.name}</th>
            <th scope="col">{messages.value.devices.state}</th>
            <th scope="col" class="wide">
              {messages.value.devices.address}
            </th>
            <th scope="col" class="end">
              {messages.value.devices.now}
            </th>
            <th scope="col" class="end wide">
              {messages.value.devices.traffic}
            </th>
            <th scope="col">
              <span class="hidden">{m.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {detail.peers.map((peer) => (
            <Row
              key={peer.publicKey}
              peer={peer}
              rate={rates.get(peer.publicKey)}
              path={`/interfaces/${detail.name}/peers/${inPath(peer.publicKey)}`}
              mayChange={mayChange && peer.isInFile}
              act={act}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({
  peer,
  rate,
  path,
  mayChange,
  act,
}: {
  peer: HostPeer;
  rate: { readonly up: number; readonly down: number } | undefined;
  path: string;
  mayChange: boolean;
  act: Act;
}) {
  const [why, setWhy] = useState<Explanation | undefined>(undefined);
  const [newName, setNewName] = useState<string | undefined>(undefined);
  const m = messages.value;
  const title = peer.name ?? `${peer.publicKey.slice(0, 12)}…`;
  const isDisabled = peer.state === 'disabled' || peer.state === 'expired';
  const { perSecond } = m;
  const rename = (event: Event): void => {
    event.preventDefault();
    void act(() => call('PATCH', path, { peerName: newName })).then(() => setNewName(undefined));
  };
  return (
    <tr>
      <td>{title}</td>
      <td>
        <span class={`state ${CLASSES[peer.state]}`}>{m.interfaces.states[peer.state]}</span>
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
          <button
            type="button"
            class="button"
            aria-label={`${m.interfaces.why} ${title}`}
            onClick={() => void attempt(async () => setWhy(await call<Explanation>('GET', `${path}/explain`)))}
          >
            {m.interfaces.why}
          </button>
          {mayChange && (
            <>
              <button
                type="button"
                class="button"
                aria-label={`${m.interfaces.rename} ${title}`}
                onClick={() => setNewName(peer.name ?? '')}
              >
                {m.interfaces.rename}
              </button>
              <button
                type="button"
                class="button"
                aria-label={`${isDisabled ? m.people.enable : m.people.disable} ${title}`}
                onClick={() => void act(() => call('PATCH', path, { isDisabled: !isDisabled }))}
              >
                {isDisabled ? m.people.enable : m.people.disable}
              </button>
              <button
                type="button"
                class="button danger"
                aria-label={`${m.people.remove} ${title}`}
                onClick={() => void act(() => call('DELETE', path))}
              >
                {m.people.remove}
              </button>
            </>
          )}
        </div>
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
        {newName !== undefined && (
          <Dialog title={title} onClose={() => setNewName(undefined)}>
            <form class="stack" onSubmit={rename}>
              <TextField label={m.devices.name} value={newName} onInput={setNewName} isRequired />
              <div>
                <button type="submit" class="button first">
                  {m.save}
                </button>
              </div>
            </form>
          </Dialog>
        )}
      </td>
    </tr>
  );
}

interface Explanation {
  readonly reason: string;
  readonly advice: readonly { readonly problem: string; readonly nextStep: string }[];
}

function AddPeer({ name, onClose }: { name: string; onClose: () => void }) {
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

const CLASSES: Record<HostPeer['state'], string> = {
  online: 'online',
  asleep: 'asleep',
  'never-seen': 'never-seen',
  disabled: 'blocked',
  expired: 'blocked',
  'not-running': 'asleep',
};

function ratesOf(before: HostInterfaceDetail | undefined, now: HostInterfaceDetail): Rates {
  const seconds = EVERY_MS / 1_000;
  const old = new Map(before?.peers.map((peer) => [peer.publicKey, peer]));
  return new Map(
    now.peers.flatMap((peer) => {
      const last = old.get(peer.publicKey);
      if (last === undefined) return [];
      const up = Math.max(0, peer.receivedBytes - last.receivedBytes) / seconds;
      const down = Math.max(0, peer.sentBytes - last.sentBytes) / seconds;
      return up + down === 0 ? [] : [[peer.publicKey, { up, down }] as const];
    }),
  );
}

function inPath(key: string): string {
  return key.replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
}
