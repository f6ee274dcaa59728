import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { operations } from '../../src/contract/operations.ts';
import { allBindings } from '../../src/service/bindings.ts';
import { readParams } from '../../src/service/http/read-params.ts';
import { openService } from './open-service.ts';

const raw = (
  query: Record<string, string | string[]>,
  body?: unknown,
  path: Record<string, string> = {},
): Parameters<typeof readParams>[1] => ({ path, query, body });
const faultOf = (read: () => unknown): string => {
  try {
    return `no fault: ${JSON.stringify(read())}`;
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
};

const schema = z.strictObject({
  run: z.string(),
  limit: z.number().int().min(1).optional(),
  follow: z.boolean().default(false),
  dry: z.stringbool().or(z.boolean()).default(false),
  repos: z.array(z.string()).default([]),
  note: z.string().optional(),
});

test('query text becomes what the schema wants', () => {
  assert.deepEqual(
    readParams(
      schema,
      raw({ limit: '12', follow: 'true', dry: 'true', repos: ['a', 'b'], note: '12' }, undefined, { run: 'x/1' }),
    ),
    {
      run: 'x/1',
      limit: 12,
      follow: true,
      dry: true,
      repos: ['a', 'b'],
      note: '12',
    },
  );
  assert.deepEqual(readParams(schema, raw({ run: 'a', repos: 'one' })).repos, ['one']);
  assert.equal(readParams(schema, raw({}, { run: 'a', follow: true })).follow, true);
});

test('what does not fit is refused by its name, with the nearest right one', () => {
  const wrong: [Parameters<typeof readParams>[1], string][] = [
    [raw({ run: 'a', folow: 'true' }), 'INPUT_INVALID No parameter is called folow. Did you mean follow?'],
    [raw({ run: 'a', limit: 'many' }), 'INPUT_INVALID limit has to be a number.'],
    [raw({ run: 'a', limit: '0' }), 'INPUT_INVALID limit is below the least of 1.'],
    [raw({ run: 'a', limit: ['1', '2'] }), 'INPUT_INVALID limit has to be a number.'],
    [raw({ run: 'a', follow: 'maybe' }), 'INPUT_INVALID follow has to be true or false.'],
    [raw({}), 'INPUT_INVALID run is missing.'],
    [raw({ run: 'a', __proto__x: '1' }), 'INPUT_INVALID No parameter is called __proto__x.'],
  ];

  assert.deepEqual(
    wrong.map(([given]) => faultOf(() => readParams(schema, given))),
    wrong.map(([, expected]) => expected),
  );
});

test('the path decides over the body', () => {
  assert.equal(readParams(schema, raw({}, { run: 'other' }, { run: 'mine' })).run, 'mine');
});

test('every operation of the contract is answered, and nothing else', async () => {
  await using opened = await openService();
  const bindings = allBindings({} as never, {} as never);

  const bound = bindings.map(({ operation }) => operation.name);
  const missing = [];
  for (const { http, name } of operations) {
    const path = http.path.replaceAll(/:\w+/g, 'x');
    if (name === 'service.stop' || name === 'event.stream') continue;
    const reply = await opened.ask(path, { method: http.method, ...(http.method === 'GET' ? {} : { body: {} }) });
    if (reply.body?.fault?.code === 'COMMAND_UNKNOWN') missing.push(name);
  }

  assert.deepEqual(bound.toSorted(), operations.map(({ name }) => name).toSorted());
  assert.equal(new Set(bound).size, bound.length);
  assert.deepEqual(missing, []);
});

test('the OpenAPI document has every operation, with its parameters and its faults', async () => {
  await using opened = await openService();

  const { body: document } = await opened.tcp('/api/openapi.json');

  assert.equal(document.openapi, '3.1.0');
  const described = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
    (methods) => Object.values(methods).map(({ operationId }) => operationId),
  );
  assert.deepEqual(described.toSorted(), operations.map(({ name }) => name).toSorted());
  const list = document.paths['/api/runs'].get;
  assert.deepEqual(list.parameters.map(({ name }: { name: string }) => name).toSorted(), [
    'before',
    'limit',
    'state',
    'workspace',
  ]);
  const show = document.paths['/api/runs/{run}'].get;
  assert.deepEqual(
    show.parameters.map(({ name, in: place, required }: Record<string, unknown>) => [name, place, required]),
    [['run', 'path', true]],
  );
  const create = document.paths['/api/workspaces'].post;
  assert.deepEqual(create.requestBody.content['application/json'].schema.required, ['workspace', 'repos']);
  assert.ok(document.components.schemas.FaultReply.properties.fault.properties.code.enum.includes('WORKSPACE_EXISTS'));
});

test('an unknown route and a fault say so in one form', async () => {
  await using opened = await openService();

  const unknown = await opened.tcp('/api/nothing?x=1');
  const missing = await opened.tcp('/api/workspaces/nobody');

  assert.deepEqual(
    [unknown.status, unknown.body.fault.code, unknown.body.fault.message],
    [404, 'COMMAND_UNKNOWN', 'Nothing answers GET /api/nothing.'],
  );
  assert.deepEqual([missing.status, missing.body.fault.code], [404, 'WORKSPACE_NOT_FOUND']);
});

test('a local operation is answered with the command that does it', async () => {
  await using opened = await openService();

  const reply = await opened.ask('/api/local/doctor');

  assert.deepEqual(reply.body, { local: true, command: 'takt doctor' });
});
