import { useEffect, useState } from 'preact/hooks';

import type { HostInterface, HostInterfaceDetail } from '../../src/server/host-interfaces.js';
import { call } from '../api.js';
import { messages } from '../language.js';
import { attempt, messageOf } from '../parts/ui.js';
import { AddPeer } from './add-peer.js';
import { type Act, PeerRow } from './peer-row.js';

const EVERY_MS = 2_000;

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
            <PeerRow
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
