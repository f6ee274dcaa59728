import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounded, result } from '../../src/bin/doctor/check.ts';
import { Fault } from '../../src/contract/faults.ts';
import { limit } from '../git/scratch.ts';

const signal = limit();

test('what never answers is told as such once its time is over, and its signal ends', async () => {
  let ended = false;
  const check = bounded('disk', { signal, limitMs: 50 }, (own) => {
    own.addEventListener('abort', () => (ended = true));
    return new Promise(() => undefined);
  });

  const found = await check();

  assert.deepEqual([found.name, found.state, found.isLate, ended], ['disk', 'warning', true, true]);
  assert.match(found.found, /within 1 s/);
});

test('a check that is in time is not late', async () => {
  const found = await bounded('disk', { signal, limitMs: 60_000 }, () => result('disk', 'ok', 'fine'))();

  assert.deepEqual(found, { name: 'disk', state: 'ok', found: 'fine', fix: '' });
});

test('whatever a check throws is something that it found', async () => {
  const thrown = async (error: Error, onFault?: 'broken'): Promise<string> => {
    const bounds = onFault === undefined ? { signal } : { signal, onFault };
    const { state, found } = await bounded('x', bounds, () => {
      throw error;
    })();
    return `${state}: ${found}`;
  };

  assert.equal(await thrown(new Fault('HOME_MISSING', 'None.'), 'broken'), 'broken: None.');
  assert.equal(
    await thrown(new Fault('CONFIG_INVALID', 'Line 3.')),
    'warning: cannot be told while the configuration is not valid',
  );
  assert.equal(await thrown(new Fault('CONFIG_INVALID', 'Line 3.'), 'broken'), 'broken: Line 3.');
  assert.match(
    await thrown(Object.assign(new Error('no'), { code: 'EACCES', path: '/x' })),
    /^warning: \/x may not be read/,
  );
  assert.equal(await thrown(new TypeError('odd')), 'warning: could not be looked at: odd');
});

test('Ctrl-C ends a check instead of being found by it', async () => {
  const stopping = new AbortController();
  const check = bounded('x', { signal: stopping.signal }, (own) => {
    stopping.abort(new Fault('CANCELLED', 'Interrupted.'));
    own.throwIfAborted();
    return result('x', 'ok', '');
  });

  await assert.rejects(async () => check(), { code: 'CANCELLED' });
});
