import { formatEndpoint, NO_ZONES } from '../../control/endpoint-text.js';
import { explainText } from '../../control/explain-text.js';
import { formatIpAddress } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import { type AgentPeerStatus, type AgentStatus, whyRelayed } from './agent-status.js';
import type { MeshAgent } from './mesh-agent.js';
import { readExit } from './read-exit.js';

/** Reads the state of an agent. */
export function readStatus(agent: MeshAgent): AgentStatus {
  const { state, paths, isConnected, isKeyUnknown, clockErrorMs } = agent;
  const { hub } = paths;
  const { mapped } = hub;
  const exit = readExit(agent);
  return {
    network: state.network,
    name: state.name,
    id: state.id,
    addresses: state.addresses,
    mode: state.mode,
    isWaiting: state.self === undefined,
    hub: {
      endpoint: state.hub.endpoint,
      way: hub.way,
      isConnected,
      ...(isKeyUnknown ? { isKeyUnknown } : {}),
      ...(hub.rttMs === undefined ? {} : { rttMs: hub.rttMs }),
    },
    ...(exit === undefined ? {} : { exit }),
    mapping: hub.mapping,
    ...(mapped === undefined ? {} : { publicAddress: `${formatIpAddress(mapped.address)}:${mapped.port}` }),
    ...(clockErrorMs === 0 ? {} : { clockErrorMs }),
    refused: [...agent.map.refused.values()],
    peers: readPeers(agent),
  };
}

function readPeers(agent: MeshAgent): AgentPeerStatus[] {
  const views = agent.paths.views();
  const { mapping } = agent.paths.hub;
  return [...agent.map.entries.values()].flatMap(({ record }) => {
    const view = views.get(record.id);
    const peer = agent.tunnel.peer(parseKey(record.publicKey, 'public key'));
    if (view === undefined || peer === undefined) return [];
    const isAgent = record.identityKey !== undefined;
    const reason = agent.tunnel.reasonOf(peer);
    const why = whyRelayed(view, mapping, isAgent);
    return {
      id: record.id,
      name: record.name,
      addresses: record.addresses,
      routes: record.routes,
      kind: isAgent ? ('agent' as const) : ('stock' as const),
      path: view.kind,
      ...(view.endpoint === undefined ? {} : { endpoint: formatEndpoint(view.endpoint, NO_ZONES) }),
      ...(view.rttMs === undefined ? {} : { rttMs: view.rttMs }),
      ...(why === undefined ? {} : { why }),
      ...(peer.lastHandshakeUnixMs === 0 ? {} : { lastHandshakeUnixMs: peer.lastHandshakeUnixMs }),
      receivedBytes: peer.rxBytes,
      sentBytes: peer.txBytes,
      reasonCode: reason.code,
      reason: explainText(reason),
    };
  });
}
