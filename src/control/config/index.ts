/**
 * Configuration files of `wg` and `wg-quick`: read, check, edit and write them without losing a comment.
 *
 * ```ts
 * import { parseConfig } from 'wiretype/config';
 *
 * const document = parseConfig(text, 'wg0.conf');
 * document.assertValid();
 * document.addPeer(publicKey, 'laptop').set('AllowedIPs', '10.0.0.2/32');
 * console.log(document.text);
 * ```
 */
export { ConfigDocument } from './config-document.js';
export { type ConfigFileOptions, readConfigFile, writeConfigFile } from './config-file.js';
export { CONFIG_KEYS, type ConfigKey, type SectionName } from './config-keys.js';
export type { ConfigLine, ConfigLineKind } from './config-line.js';
export { type ConfigProblem, formatProblem } from './config-problem.js';
export { ConfigSection } from './config-section.js';
export type { ConfigAddress, ConfigDns, ConfigFault } from './config-values.js';
export { clearChange, readDeviceChange } from './device-change.js';
export { type HookName, InterfaceSection } from './interface-section.js';
export { parseConfig } from './parse-config.js';
export { PeerSection } from './peer-section.js';
export { type ConfigAllowedIp, type ConfigEndpoint, formatConfigEndpoint } from './peer-values.js';
