import type {} from '../control/control-errors.js';

/** Codes of the gateway, with the advice that follows the message. */
export const GATEWAY_ERRORS = {
  ERR_NO_DEVICE: 'List the devices with wiretype gateway list.',
  ERR_DEVICE_EXISTS: 'Nothing was changed. Choose another name or key.',
  ERR_SUBNET_FULL: 'Nothing was changed. Remove devices for good, or give the gateway a larger subnet.',
  ERR_CHANGED_MEANWHILE: 'Nothing was changed. Run the command again.',
  ERR_UPLINK: 'Leave --tun out, and no root is needed; or provide what the message names.',
  ERR_IMPORT: 'Nothing was made. Correct the file at the place that the message names.',
  ERR_GATEWAY_SETTINGS: 'Nothing was changed. Correct the setting that the message names.',
} as const;

type Own = typeof GATEWAY_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
