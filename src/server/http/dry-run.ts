import { Rehearsal } from '../../gateway/service/rehearsal.js';
import type { CallContext, Operation } from '../operations/operation.js';
import { ApiError } from '../server-errors.js';

const PARAMETER = 'dryRun';
/** Operations with one of these change devices, rules and settings, and nothing else. */
const REHEARSED = new Set(['devices:write', 'rules:write', 'settings:write']);

/** Whether an operation can be tried without changing anything. */
export function canRehearse({ method, scope, isRehearsed = true }: Operation): boolean {
  return method !== 'GET' && REHEARSED.has(scope) && isRehearsed;
}

/** Reads `dryRun` of a query, and returns the others. @throws {ApiError} ERR_INPUT: the operation cannot be tried. */
export function readDryRun(
  operation: Operation,
  given: URLSearchParams,
): { readonly isDryRun: boolean; readonly query: URLSearchParams } {
  const query = new URLSearchParams(given);
  query.delete(PARAMETER);
  const text = given.get(PARAMETER);
  if (text === null || text === '0') return { isDryRun: false, query };
  if (text !== '1' || !canRehearse(operation))
    throw new ApiError('ERR_INPUT', 'dryRun: 1 is expected, for changes of devices, rules or settings');
  return { isDryRun: true, query };
}

/** Runs an operation on a rehearsal of the gateway. @returns All that it would change. */
export async function rehearse(operation: Operation, input: unknown, call: CallContext): Promise<object> {
  const gateway = new Rehearsal(call.parts.gateway, call.parts.nowUnixMs);
  await operation.handler(input as never, { ...call, parts: { ...call.parts, gateway }, setHeader: () => {} });
  return { dryRun: true, changes: gateway.changes };
}
