import { messages } from './language.js';

/** A refusal of the gateway, with its stable code. */
export class ApiFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Asks for a fresh proof of who the person is; the dialog for it sets this. */
export const proof: { ask: () => Promise<boolean> } = { ask: () => Promise.resolve(false) };

/** Calls the gateway. Where a fresh proof is needed, the person is asked for it, and the call is made again. */
export async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`api/v1${path}`, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiFailure('ERR_NETWORK', messages.value.errors.network);
  });
  const text = await response.text();
  const answer = text === '' ? {} : JSON.parse(text);
  if (response.ok) return answer as T;
  if (answer.code === 'ERR_STEP_UP' && (await proof.ask())) return call<T>(method, path, body);
  throw new ApiFailure(answer.code ?? 'ERR_UNKNOWN', answer.detail ?? messages.value.errors.unknown);
}
