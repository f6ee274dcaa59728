import { z } from 'zod';
import { faults } from '../../contract/faults.ts';
import type { Operation } from '../../contract/operation.ts';

type JsonSchema = Record<string, unknown>;

/** The OpenAPI 3.1 document of all operations, printed from the contract. */
export function openApi(operations: readonly Operation[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = operation.http.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.http.method.toLowerCase()]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'takt',
      version,
      description:
        'Everything that takt can do. Local operations are carried out by the command itself; over HTTP they only say so.',
    },
    servers: [{ url: 'http://127.0.0.1:7433' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The text of .state/token.' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'takt_token' },
      },
      schemas: { FaultReply: faultReply() },
    },
  };
}

function describe(operation: Operation): Record<string, unknown> {
  const schema = jsonSchema(operation.params, 'input');
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
  const required = (schema['required'] ?? []) as string[];
  const inPath = [...operation.http.path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => name!);
  const rest = Object.keys(properties).filter((name) => !inPath.includes(name));
  const isQuery = operation.http.method === 'GET' || operation.http.method === 'DELETE';
  const query = isQuery ? rest : [];
  return {
    operationId: operation.name,
    summary: operation.summary,
    ...(operation.details === undefined ? {} : { description: operation.details }),
    tags: [operation.name.split('.')[0]],
    'x-takt-kind': operation.kind,
    'x-takt-who': operation.who,
    parameters: [
      ...inPath.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } })),
      ...query.map((name) => ({
        name,
        in: 'query',
        required: required.includes(name),
        schema: properties[name],
        explode: true,
      })),
    ],
    ...(isQuery ? {} : { requestBody: bodyOf(rest, properties, required) }),
    responses: {
      '200': { description: 'Done.', content: contentOf(operation) },
      default: {
        description: FAULTS,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/FaultReply' } } },
      },
    },
  };
}

const FAULTS = 'A fault; its code fixes the status.';

function bodyOf(
  names: readonly string[],
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): JsonSchema {
  const needed = names.filter((name) => required.includes(name));
  const schema = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
    required: needed,
    additionalProperties: false,
  };
  return { required: needed.length > 0, content: { 'application/json': { schema } } };
}

function contentOf(operation: Operation): JsonSchema {
  if (operation.kind === 'stream') {
    return operation.name === 'event.stream'
      ? { 'text/event-stream': { schema: { type: 'string' } } }
      : { 'application/x-ndjson': { schema: { type: 'string' } } };
  }
  const json = { 'application/json': { schema: jsonSchema(operation.reply, 'output') } };
  return operation.kind === 'job'
    ? {
        ...json,
        'application/x-ndjson': { schema: { type: 'string', description: 'Progress lines, then a reply or a fault.' } },
      }
    : json;
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' });
  return rest;
}

function faultReply(): JsonSchema {
  const table = Object.entries(faults).map(([code, { httpStatus, hint }]) => `- ${code} (${httpStatus}): ${hint}`);
  const text = { type: 'string' };
  return {
    type: 'object',
    required: ['fault'],
    properties: {
      fault: {
        type: 'object',
        required: ['code', 'message', 'hint'],
        properties: {
          code: { enum: Object.keys(faults), description: table.join('\n') },
          message: text,
          hint: text,
          detail: text,
        },
      },
    },
  };
}
