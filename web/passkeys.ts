import { call } from './api.js';

/** Parsers of WebAuthn Level 3 §5.1.8, which the types of the library do not know yet. */
const Parsers = globalThis.PublicKeyCredential as unknown as {
  parseCreationOptionsFromJSON(options: unknown): PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON(options: unknown): PublicKeyCredentialRequestOptions;
};

/** Passkeys need a name and a secure context; browsers without these parsers are older than 2025. */
export function canUsePasskeys(): boolean {
  const isAddress = /^[\d.]+$|^\[/.test(location.hostname);
  return isSecureContext && !isAddress && Parsers !== undefined && 'parseRequestOptionsFromJSON' in Parsers;
}

/** Asks the person for a passkey, and sends it where it is expected. */
export async function usePasskey(path: '/sign-in/passkey' | '/step-up/passkey'): Promise<void> {
  const options = await call<object>('POST', '/sign-in/passkey/options', {});
  const credential = await navigator.credentials.get({ publicKey: Parsers.parseRequestOptionsFromJSON(options) });
  await call('POST', path, { response: jsonOf(credential) });
}

/** Makes a passkey of the person that is signed in. */
export async function addPasskey(name: string): Promise<void> {
  const options = await call<object>('POST', '/account/passkeys/options', {});
  const credential = await navigator.credentials.create({ publicKey: Parsers.parseCreationOptionsFromJSON(options) });
  await call('POST', '/account/passkeys', { name, response: jsonOf(credential) });
}

function jsonOf(credential: Credential | null): object {
  return (credential as Credential & { toJSON(): object }).toJSON();
}
