import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { faultOfError } from '../../src/service/http/fault-reply.ts';

const said: unknown[] = [];
const log = { error: (facts: unknown) => void said.push(facts) } as Parameters<typeof faultOfError>[1];

test('a full disk is told from a defect, whoever finds it', () => {
  const database = new DatabaseSync(':memory:');
  database.exec('PRAGMA max_page_count = 2; CREATE TABLE t (x)');
  const fill = (): void => {
    database.exec('INSERT INTO t VALUES (zeroblob(100000))');
  };

  assert.throws(fill, (error) => faultOfError(error, log).code === 'DISK_FULL');
  assert.equal(faultOfError(Object.assign(new Error('no space'), { code: 'ENOSPC' }), log).code, 'DISK_FULL');
});

test('a fault is told as it is, and anything else by an id that the log has too', () => {
  const fault = new Fault('WORKSPACE_EXISTS', 'It is there.');
  const secret = new Error('secret words at /some/path');

  const told = faultOfError(secret, log);

  assert.equal(faultOfError(fault, log), fault);
  assert.equal(told.code, 'INTERNAL');
  const [, id] = /\(([0-9a-f]{8})\)/.exec(told.message)!;
  assert.deepEqual(said, [{ err: secret, errorId: id }]);
  assert.doesNotMatch(JSON.stringify(told.report()), /secret/);
});
