import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';

import { invitationOf } from '../../gateway/service/engine-device.js';
import { readCookie } from '../auth/cookies.js';
import { identify, type RequestFacts } from '../auth/identify.js';
import { oidcCallback } from '../auth/oidc-callback.js';
import { STEP_UP_MS } from '../auth/sign-ins.js';
import type { Caller } from '../operations/caller.js';
import type { CallContext, Operation } from '../operations/operation.js';
import { OPERATIONS } from '../operations/operations.js';
import type { Scope } from '../operations/scopes.js';
import type { ServerParts } from '../server-config.js';
import { ApiError } from '../server-errors.js';
import { readDryRun, rehearse } from './dry-run.js';
import { EventStream } from './event-stream.js';
import type { HostNames } from './host-names.js';
import { IdempotentAnswers } from './idempotency.js';
import { metricsText } from './metrics.js';
import { openApiDocument } from './openapi.js';
import { checkOrigin } from './origin-check.js';
import { INTERNAL_PROBLEM, problemOf } from './problem.js';
import { readBody } from './read-body.js';
import { readInput } from './read-input.js';
import { SECURITY_HEADERS } from './security-headers.js';
import type { StaticFile } from './static-files.js';
import type { ClientFacts } from './trusted-proxies.js';

const BASE = '/api/v1';
/** Supervisors ask for these by an address, and learn nothing that a page could misuse. */
const PROBES: ReadonlySet<string> = new Set(['/livez', '/healthz']);

/** The bindings of a request: the objects of Node, and the way that it came in by. */
export interface Bindings extends HttpBindings {
  readonly way: RequestFacts['way'];
  readonly client: ClientFacts;
}

type RequestContext = Context<{ Bindings: Bindings }>;

export interface AppParts extends ServerParts {
  readonly hostNames: HostNames;
  readonly files: ReadonlyMap<string, StaticFile>;
}

/** Makes the HTTP application: the table of operations, the stream of events, metrics, and the page. */
export function createApp(parts: AppParts): {
  readonly app: Hono<{ Bindings: Bindings }>;
  readonly events: EventStream;
} {
  const app = new Hono<{ Bindings: Bindings }>();
  const answers = new IdempotentAnswers(parts.nowUnixMs);
  const events = new EventStream(parts.gateway);
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
  });
  app.use(async (context, next) => {
    const isAnyName = context.env.way === 'local' || PROBES.has(context.req.path);
    const isForUs = isAnyName || parts.hostNames.isOwn(context.env.client.host);
    if (!isForUs) throw new ApiError('ERR_HOST', 'this gateway has no such name: see --host-name');
    checkOrigin({
      method: context.req.method,
      ownOrigin: originOf(context),
      origin: context.req.header('origin'),
      fetchSite: context.req.header('sec-fetch-site'),
      isStream: context.req.path === `${BASE}/events`,
    });
    await next();
  });
  app.use(async (context, next) => {
    refuseLobby(context);
    await next();
  });
  for (const operation of OPERATIONS)
    app.on(operation.method, BASE + operation.path, (context) => run(operation, context, parts, answers));

  let document: object | undefined;
  app.get(`${BASE}/openapi.json`, (context) => {
    document ??= openApiDocument(OPERATIONS, parts.version);
    return context.json(document);
  });
  app.get(`${BASE}/events`, async (context) => {
    const caller = await callerOf(context, parts);
    authorise(caller, 'own');
    return streamTo(context, (send) => events.add(caller, send));
  });
  app.get(`${BASE}/oidc/callback`, (context) => endOidc(context, parts));
  app.get('/metrics', async (context) => {
    authorise(await callerOf(context, parts), 'metrics:read');
    return context.text(metricsText(parts.gateway), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    });
  });
  app.get('/livez', (context) => context.text('ok\n'));
  app.get('/healthz', (context) => healthAnswer(context, parts));
  app.get('*', (context) => staticAnswer(context, parts.files));
  app.notFound(() => refuse(new ApiError('ERR_NOT_FOUND', 'there is nothing here')));
  app.onError((error) => {
    const problem = problemOf(error);
    if (problem === undefined) parts.log(`a request failed: ${error.stack ?? error.message}`);
    return answerProblem(problem ?? INTERNAL_PROBLEM);
  });
  return { app, events };
}

async function run(
  operation: Operation,
  context: RequestContext,
  parts: AppParts,
  answers: IdempotentAnswers,
): Promise<Response> {
  const caller = await callerOf(context, parts);
  if (operation.scope !== 'public') authorise(caller, operation.scope);
  if (operation.needsStepUp === true) requireProof(caller, parts.nowUnixMs());
  const { isDryRun, query } = readDryRun(operation, new URL(context.req.url).searchParams);
  const input = readInput(operation, {
    params: context.req.param() as Record<string, string>,
    query,
    body: ['GET', 'DELETE'].includes(operation.method)
      ? ''
      : await readBody(context.req.raw.body, operation.maxBodyBytes),
    contentType: context.req.header('content-type'),
  });
  const call = callOf(context, caller, parts);
  context.header('cache-control', 'no-store');
  if (isDryRun) return context.json(await rehearse(operation, input, call));
  const key = operation.status === 201 ? context.req.header('idempotency-key') : undefined;
  const handle = (): Promise<unknown> => operation.handler(input as never, call);
  const output =
    key === undefined ? await handle() : await answers.once(`${caller.actor} ${operation.id}`, key, input, handle);
  if (operation.status === 204) return context.body(null, 204);
  return context.json(output as object, operation.status ?? 200);
}

/** A host with an invitation reaches its enrolment and nothing else. @throws {ApiError} ERR_NOT_FOUND */
function refuseLobby(context: RequestContext): void {
  const { device } = context.env.incoming.socket as IncomingMessage['socket'] & { device?: string };
  const isInLobby = device !== undefined && invitationOf(device) !== undefined;
  if (isInLobby && context.req.path !== `${BASE}/mesh/enrol`)
    throw new ApiError('ERR_NOT_FOUND', 'there is nothing here');
}

/** A gateway is well while its store takes changes: with a full disk, traffic goes on and changes fail. */
function healthAnswer(context: RequestContext, { gateway }: AppParts): Response {
  const { storeProblem } = gateway;
  if (storeProblem === undefined) return context.text('ok\n');
  return context.json({ reason: 'the store takes no changes', code: storeProblem }, 503);
}

/** The browser comes back from the OpenID provider, and goes on to the page whatever came of it. */
async function endOidc(context: RequestContext, parts: AppParts): Promise<Response> {
  const call = callOf(context, await callerOf(context, parts), parts);
  const query = new URL(context.req.url).searchParams;
  context.header('cache-control', 'no-store');
  const code = await oidcCallback(query, context.req.header('cookie'), call).catch((error) => {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    parts.log(`sign-in failed from ${call.caller.address}: ${problem.detail}`);
    return problem.code;
  });
  return context.redirect(code === undefined ? '../../../#/devices' : `../../../#/refused/${code}`, 303);
}

function callOf(context: RequestContext, caller: Caller, parts: AppParts): CallContext {
  const ifMatch = context.req.header('if-match');
  return {
    parts,
    caller,
    origin: originOf(context),
    userAgent: context.req.header('user-agent') ?? '',
    ...(ifMatch === undefined ? {} : { ifMatch }),
    setHeader: (name, value) => context.header(name, value, { append: true }),
  };
}

function callerOf(context: RequestContext, parts: AppParts): Promise<Caller> {
  const { way, client, incoming } = context.env;
  const { device } = incoming.socket as IncomingMessage['socket'] & { device?: string };
  const authorization = context.req.header('authorization');
  const cookie = readCookie(context.req.header('cookie'), client.isSecure);
  const facts: RequestFacts = {
    way,
    address: client.address,
    ...(device === undefined ? {} : { device }),
    ...(authorization === undefined ? {} : { authorization }),
    ...(cookie === undefined ? {} : { cookie }),
  };
  return identify(facts, parts);
}

/** @throws {ApiError} ERR_SIGN_IN, ERR_SCOPE */
function authorise(caller: Caller, scope: Scope | 'signed-in'): void {
  if (caller.kind === 'nobody') throw new ApiError('ERR_SIGN_IN', 'sign in first');
  if (scope === 'signed-in' || caller.scopes.has(scope)) return;
  if (scope === 'own' && caller.scopes.has('devices:read')) return;
  throw new ApiError('ERR_SCOPE', `the scope ${scope} is needed`);
}

/** @throws {ApiError} ERR_STEP_UP. The owner of the UNIX socket needs none; a token cannot give any. */
function requireProof(caller: Caller, nowUnixMs: number): void {
  if (caller.kind === 'local') return;
  if (caller.provedAtUnixMs === undefined || nowUnixMs - caller.provedAtUnixMs > STEP_UP_MS)
    throw new ApiError('ERR_STEP_UP', 'prove once more who you are');
}

function originOf(context: RequestContext): string {
  const { isSecure, host = '' } = context.env.client;
  return `${isSecure ? 'https' : 'http'}://${host}`;
}

function streamTo(context: RequestContext, begin: (send: (text: string) => void) => () => void): Response {
  const encoder = new TextEncoder();
  let end = (): void => {};
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      end = begin((text) => controller.enqueue(encoder.encode(text)));
    },
    cancel: () => end(),
  });
  return context.body(stream, 200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
}

function staticAnswer(context: RequestContext, files: ReadonlyMap<string, StaticFile>): Response {
  const file = files.get(context.req.path === '/' ? '/index.html' : context.req.path);
  if (file === undefined) return refuse(new ApiError('ERR_NOT_FOUND', 'there is nothing here'));
  const headers: Record<string, string> = {
    'content-type': file.type,
    etag: file.etag,
    vary: 'accept-encoding',
    'cache-control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  if (context.req.header('if-none-match') === file.etag) return context.body(null, 304, headers);
  const accepted = context.req.header('accept-encoding') ?? '';
  if (file.brotli !== undefined && /\bbr\b/.test(accepted))
    return context.body(new Uint8Array(file.brotli), 200, { ...headers, 'content-encoding': 'br' });
  if (file.gzip !== undefined && /\bgzip\b/.test(accepted))
    return context.body(new Uint8Array(file.gzip), 200, { ...headers, 'content-encoding': 'gzip' });
  return context.body(new Uint8Array(file.bytes), 200, headers);
}

function refuse(error: ApiError): Response {
  return answerProblem(problemOf(error)!);
}

function answerProblem(problem: { readonly status: number }): Response {
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
