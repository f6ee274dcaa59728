import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsAmong, pushOrder } from '../../src/git/push-order.ts';

test('repos go out after those that they depend on, by name where it does not matter', () => {
  const order = (map: Record<string, string[]>): string =>
    pushOrder(Object.entries(map).map(([name, dependsOn]) => ({ name, dependsOn }))).join(' ');

  assert.equal(order({ web: ['api'], api: ['lib'], lib: [], docs: [] }), 'docs lib api web');
  assert.equal(order({ c: [], b: [], a: [] }), 'a b c');
  assert.equal(order({ app: ['elsewhere', 'app'], lib: [] }), 'app lib');
  assert.equal(order({ b: ['c'], c: ['b'], a: ['b'], d: [] }), 'd b a c');
  assert.equal(order({}), '');
});

test('what a repo needs by way of one that is not among them counts', () => {
  const configured = Object.entries({ app: ['tool', 'tool2'], tool: ['lib'], tool2: [], lib: ['base'], base: [] }).map(
    ([name, needs]) => ({ name, depends_on: needs }),
  );
  const order = (...names: string[]): string => pushOrder(needsAmong(names, configured)).join(' ');

  assert.equal(order('app', 'lib'), 'lib app');
  assert.equal(order('app', 'base'), 'base app');
  assert.equal(order('app', 'elsewhere', 'lib', 'tool2'), 'elsewhere lib tool2 app');
  assert.deepEqual(needsAmong(['app', 'tool', 'lib'], configured)[0]?.dependsOn, ['tool', 'tool2']);
  const circle = [
    { name: 'a', depends_on: ['b'] },
    { name: 'b', depends_on: ['c'] },
    { name: 'c', depends_on: ['b'] },
  ];
  assert.deepEqual(needsAmong(['a'], circle)[0]?.dependsOn, ['b', 'c']);
});
