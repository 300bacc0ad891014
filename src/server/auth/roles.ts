import type { Role } from '../../store/people-store.js';
import { SCOPES, type Scope } from '../operations/scopes.js';

const READS: readonly Scope[] = ['devices:read', 'rules:read', 'settings:read', 'metrics:read'];

/** The scopes of each role. */
export const SCOPES_OF: Readonly<Record<Role, ReadonlySet<Scope>>> = {
  owner: new Set(SCOPES),
  admin: new Set(SCOPES),
  operator: new Set([...READS, 'devices:write', 'rules:write', 'audit:read', 'own']),
  viewer: new Set([...READS, 'own']),
  member: new Set<Scope>(['own']),
};

const RANKS: readonly Role[] = ['member', 'viewer', 'operator', 'admin', 'owner'];

/** Whether somebody with a role may give, take and change another one: only owners touch owners. */
export function mayManage(own: Role, other: Role): boolean {
  return own === 'owner' || RANKS.indexOf(own) > RANKS.indexOf(other);
}
