import { ACCOUNT_OPERATIONS } from './account-operations.js';
import { BACKUP_OPERATIONS } from './backup-operations.js';
import { CONFIG_OPERATIONS } from './config-operations.js';
import { DEVICE_BULK_OPERATIONS } from './device-bulk-operations.js';
import { DEVICE_LINK_OPERATIONS } from './device-link-operations.js';
import { DEVICE_OPERATIONS } from './device-operations.js';
import { GATEWAY_OPERATIONS } from './gateway-operations.js';
import { INTERFACE_OPERATIONS } from './interface-operations.js';
import { MESH_NODE_OPERATIONS } from './mesh-node-operations.js';
import { MESH_OPERATIONS } from './mesh-operations.js';
import { OIDC_OPERATIONS } from './oidc-operations.js';
import type { Operation } from './operation.js';
import { OWN_DEVICE_OPERATIONS } from './own-device-operations.js';
import { PASSKEY_OPERATIONS } from './passkey-operations.js';
import { PEOPLE_OPERATIONS } from './people-operations.js';
import { SESSION_OPERATIONS } from './session-operations.js';
import { SETTINGS_HISTORY_OPERATIONS } from './settings-history-operations.js';
import { STOCK_NODE_OPERATIONS } from './stock-node-operations.js';
import { TOKEN_OPERATIONS } from './token-operations.js';
import { WEBHOOK_OPERATIONS } from './webhook-operations.js';

/** Everything that can be done with a gateway by HTTP. */
export const OPERATIONS = [
  ...SESSION_OPERATIONS,
  ...DEVICE_BULK_OPERATIONS,
  ...DEVICE_OPERATIONS,
  ...DEVICE_LINK_OPERATIONS,
  ...OWN_DEVICE_OPERATIONS,
  ...GATEWAY_OPERATIONS,
  ...SETTINGS_HISTORY_OPERATIONS,
  ...BACKUP_OPERATIONS,
  ...CONFIG_OPERATIONS,
  ...INTERFACE_OPERATIONS,
  ...MESH_OPERATIONS,
  ...MESH_NODE_OPERATIONS,
  ...STOCK_NODE_OPERATIONS,
  ...PEOPLE_OPERATIONS,
  ...TOKEN_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
  ...PASSKEY_OPERATIONS,
  ...OIDC_OPERATIONS,
  ...WEBHOOK_OPERATIONS,
] as unknown as readonly Operation[];
