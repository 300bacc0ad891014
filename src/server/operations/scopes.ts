/** Rights of tokens and roles. */
export const SCOPES = [
  'devices:read',
  'devices:write',
  'rules:read',
  'rules:write',
  'settings:read',
  'settings:write',
  'people:read',
  'people:write',
  'tokens:write',
  'audit:read',
  'webhooks:write',
  'backup:read',
  'metrics:read',
  /** The caller's own devices. */
  'own',
] as const;

export type Scope = (typeof SCOPES)[number];
