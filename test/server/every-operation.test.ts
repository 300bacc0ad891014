import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import * as v from 'valibot';

import { OPERATIONS } from '../../src/server/operations/operations.js';
import { ServerLab } from './server-lab.js';

const TIME_LIMIT = { timeout: 120_000 };
/** Operations that end what the others need. */
const LAST = new Set(['config.apply', 'session.signOut']);

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly example?: object; readonly schema: Schema } };
  };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Schema {
  readonly type?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
}

/** Something of the type, which need not make sense. */
function sample({ type, enum: values, properties = {}, required = [] }: Schema): unknown {
  if (values !== undefined) return values[0];
  if (type === 'object') return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {})]));
  if (type === 'array') return [];
  if (type === 'boolean') return true;
  return type === 'number' || type === 'integer' ? 1 : 'abc';
}

function call(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    request({ socketPath, method, path: `/api/v1${path}`, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, body: text === '' ? {} : JSON.parse(text) }));
    })
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe('every operation of the OpenAPI document', () => {
  it('answers as it is described, or refuses with a stable code', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const { id } = (await lab.addDevice(owner, 'phone')).body;
    await lab.server.listenLocal(lab.socketPath);
    const { paths } = (await lab.call('GET', '/openapi.json')).body as {
      paths: Record<string, Record<string, Described>>;
    };
    const all = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => ({ path, method, described })),
    );
    all.sort((a, b) => Number(LAST.has(a.described.operationId)) - Number(LAST.has(b.described.operationId)));
    const worked: string[] = [];
    for (const { path, method, described } of all) {
      const { operationId, parameters = [], requestBody, responses } = described;
      const query = parameters.filter((each) => each.in === 'query' && each.required === true);
      const filled = `${path.replace(/\{id\}/, id).replace(/\{\w+\}/g, 'wg0')}${query.length === 0 ? '' : '?'}${query.map(({ name }) => `${name}=1`).join('&')}`;
      const content = requestBody?.content['application/json'];
      const body =
        content?.example ?? (content === undefined ? (method === 'post' ? {} : undefined) : sample(content.schema));
      const answer = await call(lab.socketPath, method.toUpperCase(), filled, body);
      if (responses[answer.status] !== undefined) {
        const { output, status = 200 } = OPERATIONS.find((each) => each.id === operationId)!;
        if (status !== 204) v.parse(output, answer.body);
        worked.push(operationId);
        continue;
      }
      assert.match(String(answer.body['code']), /^ERR_(?!INTERNAL)/, `${operationId}: ${JSON.stringify(answer)}`);
      assert.notEqual(answer.body['detail'], 'there is nothing here', operationId);
    }
    assert.ok(worked.length >= 30, `only ${worked.length} of ${all.length} worked: ${worked.join(' ')}`);
  });
});
