import type { Refusal } from '../../netstack/tcp/handshakes.js';

/** How a client learns why the host could not connect. Silence lets it retry by itself. */
export function refusalOf(code: string | undefined): Refusal {
  switch (code) {
    case 'EHOSTUNREACH':
      return 'host';
    case 'ENETUNREACH':
      return 'network';
    case 'EACCES':
    case 'EPERM':
      return 'prohibited';
    case 'ETIMEDOUT':
      return 'silence';
    default:
      return 'reset';
  }
}
