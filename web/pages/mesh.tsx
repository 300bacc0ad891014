import { useState } from 'preact/hooks';

import { call } from '../api.js';
import { ago } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { useReloading } from '../parts/reloading.js';
import { CopyText, TextField } from '../parts/ui.js';

interface MeshNode {
  readonly id: string;
  readonly name: string;
  readonly kind: 'agent' | 'stock';
  readonly addresses: readonly string[];
  readonly state: 'connected' | 'away' | 'waiting';
  readonly hasSharedKey: boolean;
  readonly observed?: string;
  readonly paths: Readonly<Record<string, 'direct' | 'relay' | 'carried'>>;
  readonly routes: readonly string[];
  readonly offeredRoutes: readonly string[];
  readonly lastHandshakeUnixMs?: number;
}

interface Network {
  readonly name: string;
  readonly mode: 'auto' | 'locked';
  readonly nodes: readonly MeshNode[];
}

type Act = (work: () => Promise<unknown>) => Promise<void>;

/** The nodes of the network, and invitations for more. */
export function Mesh({ session }: { session: { scopes: readonly string[] } }) {
  const [network, setNetwork] = useState<Network | undefined>(undefined);
  const m = messages.value.mesh;
  const load = () => call<Network>('GET', '/mesh').then(setNetwork);
  const act = useReloading(load);
  const mayWrite = session.scopes.includes('devices:write');
  if (network === undefined) return <p role="status">{messages.value.loading}</p>;
  return (
    <div class="stack">
      <h1>
        {m.title} {network.name}
      </h1>
      <p class="hint">{network.mode === 'locked' ? m.locked : m.auto}</p>
      <section class="card stack">
        <h2>{m.nodes}</h2>
        {network.nodes.length === 0 ? <p>{m.none}</p> : <Nodes nodes={network.nodes} mayWrite={mayWrite} act={act} />}
      </section>
      {mayWrite && <Invite act={act} />}
    </div>
  );
}

function Nodes({ nodes, mayWrite, act }: { nodes: readonly MeshNode[]; mayWrite: boolean; act: Act }) {
  const m = messages.value.mesh;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {[m.node, m.address, m.state, m.paths, m.leadsTo].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            <th scope="col">{m.actions}</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.id}>
              <th scope="row">
                <a href={`#/devices/${node.id}`}>{node.name}</a> <span class="quiet">{m.kinds[node.kind]}</span>
              </th>
              <td class="code">{node.addresses[0]}</td>
              <td>
                {m.states[node.state]}
                {node.hasSharedKey ? ` – ${m.hasSharedKey}` : ''}
                <div class="quiet">{node.observed ?? ago(node.lastHandshakeUnixMs, nowUnixMs.value)}</div>
              </td>
              <td>{pathsText(node)}</td>
              <td>
                <Routes node={node} mayWrite={mayWrite} act={act} />
              </td>
              <td class="end">
                {mayWrite && (
                  <button
                    type="button"
                    class="button danger"
                    onClick={() => void act(() => call('DELETE', `/devices/${node.id}`))}
                  >
                    {m.revoke}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Routes({ node, mayWrite, act }: { node: MeshNode; mayWrite: boolean; act: Act }) {
  const m = messages.value.mesh;
  const { routes, offeredRoutes } = node;
  const approve = () =>
    act(() => call('PUT', `/mesh/nodes/${node.id}/routes`, { routes: [...routes, ...offeredRoutes] }));
  return (
    <>
      <span class="code">{routes.join(', ')}</span>
      {offeredRoutes.length > 0 && (
        <div>
          {m.offers} <span class="code">{offeredRoutes.join(', ')}</span>{' '}
          {mayWrite && (
            <button type="button" class="button" onClick={() => void approve()}>
              {m.approve}
            </button>
          )}
        </div>
      )}
    </>
  );
}

/** An invitation is shown once: it is for one host. */
function Invite({ act }: { act: Act }) {
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const m = messages.value.mesh;
  const invite = (event: Event): void => {
    event.preventDefault();
    const body = name === '' ? {} : { name };
    void act(async () => setText((await call<{ text: string }>('POST', '/mesh/invitations', body)).text));
  };
  return (
    <section class="card stack">
      <h2>{m.invite}</h2>
      <p class="hint">{m.inviteText}</p>
      <form class="fields" onSubmit={invite}>
        <TextField label={m.inviteName} value={name} onInput={setName} />
        <div>
          <button type="submit" class="button">
            {m.make}
          </button>
        </div>
      </form>
      {text !== '' && <CopyText text={`wiretype mesh join ${text}`} label={m.inviteCommand} />}
    </section>
  );
}

function pathsText({ paths }: MeshNode): string {
  const m = messages.value.mesh;
  const counts = { direct: 0, relay: 0, carried: 0 };
  for (const kind of Object.values(paths)) counts[kind]++;
  return (['direct', 'relay', 'carried'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${counts[kind]} ${m.pathKinds[kind]}`)
    .join(', ');
}
