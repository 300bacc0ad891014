import type { AgentStatus } from '../../mesh/agent/agent-status.js';
import { healthAnswer, type ProbeAnswer } from '../probe-server.js';

/** An agent is well if it reaches the hub or any node: what stands goes on without the hub. */
export function agentHealth({ hub, peers }: Pick<AgentStatus, 'hub' | 'peers'>): ProbeAnswer {
  const isWell = hub.isConnected || peers.some(({ reasonCode }) => reasonCode === 'session');
  const facts = { hub: hub.isConnected, peers: peers.length };
  return healthAnswer(isWell, isWell ? facts : { ...facts, reason: 'neither the hub nor any node is reached' });
}
