import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { homeLayout } from '../../src/platform/home-layout.ts';
import { installPostReceive, postReceiveFault } from '../../src/service/watching/post-receive.ts';
import { insertRoot } from '../../src/store/roots.ts';
import { withRoot } from './root-home.ts';

const breaks: Record<string, { readonly how: (root: string) => void; readonly found: string }> = {
  'a hook is gone': {
    how: (root) => rmSync(join(root, 'hooks', 'post-receive')),
    found: 'app: the hook post-receive is missing',
  },
  'a hook may not be executed': {
    how: (root) => chmodSync(join(root, 'hooks', 'pre-receive'), 0o644),
    found: 'app: the hook pre-receive cannot be executed',
  },
  'a hook says something else': {
    how: (root) => writeFileSync(join(root, 'hooks', 'pre-receive'), '#!/bin/sh\nexit 0\n'),
    found: 'app: the hook pre-receive was changed',
  },
  'the configuration was edited': {
    how: (root) => appendFileSync(join(root, 'config'), '[gc]\n\tauto = 1\n'),
    found: 'app: its configuration was changed',
  },
};

for (const [what, { how, found }] of Object.entries(breaks)) {
  test(`a root repo is put right if ${what}`, async () => {
    const { home, root } = await withRoot();
    using _ = home;
    assert.equal(await home.state('root repos'), 'ok: each has its hooks, and its commits can be read');

    how(root);
    const broken = await home.state('root repos');
    const did = await home.mend('root repos');

    assert.equal(broken, `warning: ${found}`);
    assert.match(did ?? '', /^put hooks and configuration of app back/);
    assert.equal(await home.state('root repos'), 'ok: each has its hooks, and its commits can be read');
  });
}

test('what somebody wrote into a hook or the configuration is kept beside it, and named', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  const mine = { 'hooks/post-receive': '#!/bin/sh\n# mine\n', config: '[core]\n\tbare = true\n' };
  for (const [name, text] of Object.entries(mine)) writeFileSync(join(root, name), text);

  const did = (await home.mend('root repos')) ?? '';

  const [, named = ''] = did.split('; as they were they are in ');
  const kept = named.split(', ').map((path) => readFileSync(join(home.layout.home, path), 'utf8'));
  assert.deepEqual(kept.toSorted(), Object.values(mine).toSorted());
  assert.match(await home.state('root repos'), /^ok/);
});

test('a home that is reached by a link has the same hooks', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  symlinkSync(home.layout.home, home.path('link'));

  const fault = await postReceiveFault(root, 'app', homeLayout(home.path('link')));

  assert.equal(fault, undefined);
  assert.equal(
    await postReceiveFault(root, 'other', homeLayout(home.path('link'))),
    'the hook post-receive was changed',
  );
});

const damages: Record<string, { readonly how: (root: string) => void; readonly found: string }> = {
  'its objects are gone': {
    how: (root) => rmSync(join(root, 'objects'), { recursive: true }),
    found: 'app: git cannot read its refs',
  },
  'the objects in it were deleted': {
    how: (root) => {
      for (const name of readdirSync(join(root, 'objects'), { recursive: true, encoding: 'utf8' }))
        if (statSync(join(root, 'objects', name)).isFile()) rmSync(join(root, 'objects', name));
    },
    found: 'app: the commit of its default branch cannot be read',
  },
  'its list of refs is garbage': {
    how: (root) => writeFileSync(join(root, 'packed-refs'), 'garbage\n'),
    found: 'app: git cannot read its refs',
  },
};

for (const [what, { how, found }] of Object.entries(damages)) {
  test(`a root repo is broken if ${what}`, async () => {
    const { home, root } = await withRoot();
    using _ = home;
    assert.match(await home.state('root repos'), /^ok/);

    how(root);
    const seen = await home.look('root repos');

    assert.deepEqual([seen.state, seen.found, seen.repair], ['broken', found, undefined]);
    assert.ok(seen.fix.includes(`git -C ${root} fsck`), seen.fix);
  });
}

test('a root repo is not lost for a configuration that git cannot read: that is put back, and kept beside it', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  appendFileSync(join(root, 'config'), '[[[\n');

  const seen = await home.look('root repos');
  const did = (await home.mend('root repos')) ?? '';

  assert.equal(seen.state, 'broken');
  assert.match(
    seen.found,
    /^app: its configuration was changed; app: git cannot read its refs until that is put back$/,
  );
  assert.doesNotMatch(seen.fix, /backup|remove and add/);
  assert.match(did, /back; as they were they are in root\/app\/config\.replaced-[0-9a-f]{8}$/);
  assert.match(await home.state('root repos'), /^ok/);
});

test('damage that a changed configuration has hidden is told once that is put back', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  appendFileSync(join(root, 'config'), '[[[\n');
  rmSync(join(root, 'objects'), { recursive: true });

  const { state } = await home.look('root repos');
  await home.mend('root repos');

  assert.equal(state, 'broken');
  assert.equal(await home.state('root repos'), 'broken: app: git cannot read its refs');
});

const oddities: Record<string, { readonly how: (root: string) => void; readonly path: string }> = {
  'a hook is a folder': {
    how: (root) => {
      rmSync(join(root, 'hooks', 'pre-receive'));
      mkdirSync(join(root, 'hooks', 'pre-receive'));
    },
    path: 'hooks/pre-receive',
  },
  'its folder of hooks is a file': {
    how: (root) => {
      rmSync(join(root, 'hooks'), { recursive: true });
      writeFileSync(join(root, 'hooks'), '');
    },
    path: 'hooks',
  },
  'its configuration is a folder': {
    how: (root) => {
      rmSync(join(root, 'config'));
      mkdirSync(join(root, 'config'));
    },
    path: 'config',
  },
};

for (const [what, { how, path }] of Object.entries(oddities)) {
  test(`a root repo is broken if ${what}, and the others are told and mended all the same`, async () => {
    const { home, root } = await withRoot();
    using _ = home;
    cpSync(root, home.layout.root('lib'), { recursive: true });
    await installPostReceive(home.layout.root('lib'), 'lib', home.layout);
    home.store((database) => insertRoot(database, { repo: 'lib', upstream: '/up', defaultBranch: 'main' }));
    rmSync(join(home.layout.root('lib'), 'hooks', 'pre-receive'));
    how(root);

    const { state, found, fix } = await home.look('root repos');
    await home.mend('root repos');
    const after = await home.look('root repos');
    rmSync(join(root, path), { recursive: true });
    await home.mend('root repos');

    assert.equal(state, 'broken');
    assert.ok(
      found.includes(`app: ${join(root, path)}`) && found.includes('lib: the hook pre-receive is missing'),
      found,
    );
    assert.ok(fix.includes(`Move ${join(root, path)} away`), fix);
    assert.deepEqual([after.state, after.found.includes('lib:')], ['broken', false]);
    assert.match(await home.state('root repos'), /^ok/);
  });
}

test('a root repo that is gone is broken, and for a person to bring back; others are put right all the same', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  home.store((database) => insertRoot(database, { repo: 'lib', upstream: '/gone', defaultBranch: 'main' }));
  rmSync(join(root, 'hooks', 'pre-receive'));

  const both = await home.look('root repos');
  await home.mend('root repos');
  const { state, found, repair } = await home.look('root repos');

  assert.deepEqual(
    [both.state, both.found],
    ['broken', 'app: the hook pre-receive is missing; lib: its folder is gone'],
  );
  assert.deepEqual([state, found, repair], ['broken', 'lib: its folder is gone', undefined]);
});

test(
  'a root repo of another user, which git refuses, is broken and says how to trust it',
  { skip: process.getuid?.() === 0 ? false : 'only root can give a file away' },
  async () => {
    const { home, root } = await withRoot();
    using _ = home;
    for (const path of [
      root,
      ...readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name)),
    ])
      lchownSync(path, 61234, 61234);

    const refused = await home.look('root repos');

    assert.match(refused.found, /^app: it belongs to user id 61234, so git refuses it/);
    assert.equal(refused.state, 'broken');
    assert.ok(refused.fix.includes(`git config --global --add safe.directory ${root}`), refused.fix);
  },
);
