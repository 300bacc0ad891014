import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';

import type { Operation } from '../operations/operation.js';
import { canRehearse } from './dry-run.js';

/** Writes the OpenAPI 3.1 document of a table of operations. */
export function openApiDocument(operations: readonly Operation[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = operation.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'wiretype gateway', version, description: 'A VPN server without root: devices, rules, people.' },
    servers: [{ url: '/api/v1' }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

const DRY_RUN = {
  name: 'dryRun',
  in: 'query',
  description: '1: answers with what would change, and changes nothing.',
  schema: { type: 'string', enum: ['0', '1'] },
};

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Sent again with the same key within a day, the request is answered as before and makes nothing.',
  schema: { type: 'string', maxLength: 255 },
};

function describe(operation: Operation): object {
  const { id, summary, scope, method, path, input, output, status = 200, example } = operation;
  const schema = schemaOf(input, 'input') as { properties?: Record<string, object>; required?: string[] };
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const rest = Object.keys(schema.properties ?? {}).filter((name) => !inPath.includes(name));
  const hasBody = method !== 'GET' && method !== 'DELETE' && rest.length > 0;
  const parameters = [
    ...inPath.map((name) => ({ name, in: 'path', required: true, schema: schema.properties![name] })),
    ...(hasBody
      ? []
      : rest.map((name) => ({
          name,
          in: 'query',
          required: schema.required?.includes(name) ?? false,
          schema: schema.properties![name],
        }))),
    ...(canRehearse(operation) ? [DRY_RUN] : []),
    ...(status === 201 ? [IDEMPOTENCY_KEY] : []),
  ];
  return {
    operationId: id,
    summary,
    ...(scope === 'public' ? {} : { security: [{ token: [] }], 'x-scope': scope }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(hasBody ? { requestBody: body(without(schema, inPath), example?.input) } : {}),
    responses: {
      [status]: { description: 'Done.', ...(status === 204 ? {} : body(schemaOf(output, 'output'))) },
      default: { description: 'Refused: problem+json (RFC 9457) with a stable code.' },
    },
  };
}

function body(schema: object, example?: unknown): object {
  return { content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } } };
}

function without(
  schema: { properties?: Record<string, object>; required?: string[] },
  names: readonly string[],
): object {
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).filter(([name]) => !names.includes(name)),
  );
  return { ...schema, properties, required: schema.required?.filter((name) => !names.includes(name)) ?? [] };
}

function schemaOf(schema: GenericSchema, typeMode: 'input' | 'output'): object {
  const { $schema: _, ...rest } = toJsonSchema(schema, { target: 'draft-2020-12', typeMode, overrideAction });
  return rest;
}

/** Patterns of JSON Schema are read with the flag `u` in any case (JSON Schema 2020-12 §6.4). */
const overrideAction: NonNullable<ConversionConfig['overrideAction']> = ({ valibotAction, jsonSchema }) => {
  const { type, requirement } = valibotAction as { type: string; requirement?: unknown };
  return type === 'regex' && requirement instanceof RegExp ? { ...jsonSchema, pattern: requirement.source } : undefined;
};
