import { isExpiryTimed } from '../install/systemd.js';

/** Returns a line for the user if no timer on this host disables peers when their time is over; else nothing. */
export function untimedNote(expiryMs: number | undefined): string {
  if (expiryMs === undefined || isExpiryTimed()) return '';
  return 'No timer on this host disables expired peers: run wiretype install, or have cron call wiretype expire.\n';
}
