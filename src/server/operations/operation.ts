import type { GenericSchema, InferInput, InferOutput } from 'valibot';

import type { ServerParts } from '../server-config.js';
import type { Caller } from './caller.js';
import type { Scope } from './scopes.js';

/** The facts that a handler is told besides its input. */
export interface CallContext {
  readonly parts: ServerParts;
  readonly caller: Caller;
  /** The origin that the page was loaded from, such as `http://localhost:8080`. */
  readonly origin: string;
  readonly userAgent: string;
  /** ETag of the object as the caller knows it (RFC 9110 §13.1.1). Absent: any. */
  readonly ifMatch?: string;
  /** Sets a header of the answer, such as a cookie. */
  setHeader(name: string, value: string): void;
}

/**
 * One thing that can be done with a gateway. The table of operations routes, checks, authorises, audits, writes the
 * OpenAPI document and feeds the command line: nothing about an operation is said twice.
 */
export interface Operation<Input extends GenericSchema = GenericSchema, Output extends GenericSchema = GenericSchema> {
  /** Such as `device.add`: stable, for the audit log and for tools. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, with `:name` for a member of the input. */
  readonly path: string;
  /** `public`: for everybody that reaches the server. `signed-in`: for everybody that is known, whatever the scopes. */
  readonly scope: Scope | 'public' | 'signed-in';
  /** One sentence, for the OpenAPI document. */
  readonly summary: string;
  /** Strict. Members that the path names come from it; the others from the query of a GET, else from the body. */
  readonly input: Input;
  readonly output: Output;
  /** Default 200; 204 sends no body. */
  readonly status?: 200 | 201 | 204;
  /** It needs a fresh proof of the caller's identity. */
  readonly needsStepUp?: boolean;
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Default: an operation that changes devices, rules or settings can be tried by `?dryRun=1`. `false`: it does more. */
  readonly isRehearsed?: boolean;
  /** For the OpenAPI document and for its test. */
  readonly example?: { readonly input: InferInput<Input>; readonly output?: InferInput<Output> };
  handler(input: InferOutput<Input>, context: CallContext): Promise<InferInput<Output>>;
}

/** Keeps the types of an operation together while it is written down. */
export function operation<Input extends GenericSchema, Output extends GenericSchema>(
  definition: Operation<Input, Output>,
): Operation<Input, Output> {
  return definition;
}
