import { signal } from '@preact/signals';

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

/** An action as a program would ask for it. */
export interface Action {
  readonly method: string;
  /** Below `/api/v1`. */
  readonly path: string;
  readonly body?: object;
}

/** The last thing that was done on the page, for whoever wants to do it by a program. */
export const lastAction = signal<Action | undefined>(undefined);

/** Paths of how people sign in and prove themselves: nothing for programs. */
const PRIVATE = /^\/(sign-|step-up|link|account|device-link|invitation|backup)/;

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
  if (response.ok) {
    if (method !== 'GET' && !PRIVATE.test(path))
      lastAction.value = { method, path, ...(body === undefined ? {} : { body }) };
    return answer as T;
  }
  if (answer.code === 'ERR_STEP_UP' && (await proof.ask())) return call<T>(method, path, body);
  throw new ApiFailure(answer.code ?? 'ERR_UNKNOWN', answer.detail ?? messages.value.errors.unknown);
}
