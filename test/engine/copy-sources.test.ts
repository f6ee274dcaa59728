import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { homeLayout, type HomeLayout } from '../../src/platform/home-layout.ts';
import { copySources } from '../../src/service/runs/copy-sources.ts';
import { readPlainFile } from '../../src/steps/read-plain-file.ts';

interface CopyHome {
  readonly layout: HomeLayout;
  readonly clone: string;
  /** A folder of the operator's with a secret `id` in it. */
  readonly keys: string;
  put(path: string, text: string): Promise<void>;
  /** What a worktree would get for a path. */
  copied(path: string): Promise<string | undefined>;
}

async function newHome(t: TestContext): Promise<CopyHome> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'takt-copy-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'real'));
  await symlink('real', join(folder, 'home'));
  const layout = homeLayout(join(folder, 'home'));
  const clone = layout.clone('task', 'app');
  const keys = join(folder, 'keys');
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  await put(join(keys, 'id'), 'secret');
  await mkdir(clone, { recursive: true });
  return {
    layout,
    clone,
    keys,
    put,
    async copied(path) {
      const [source] = await copySources(layout, 'task', 'app', [path]);
      return readPlainFile(source!.from, 1000)?.content.toString();
    },
  };
}

test('the clone’s own file comes first, then the home’s, which may be a link', async (t) => {
  const { layout, clone, keys, put, copied } = await newHome(t);
  await put(join(clone, 'config', '.env'), 'clone');
  await symlink('config', join(clone, 'settings'));
  await mkdir(join(layout.copiedFiles, 'app'), { recursive: true });
  await symlink(join(keys, 'id'), join(layout.copiedFiles, 'app', 'id'));

  assert.equal(await copied('config/.env'), 'clone');
  assert.equal(await copied('settings/.env'), 'clone');
  assert.equal(await copied('id'), 'secret');
  assert.equal(await copied('missing'), undefined);
});

test('no link in the clone, or in its place, leads to a file elsewhere', async (t) => {
  const { clone, keys, copied } = await newHome(t);
  await symlink(keys, join(clone, 'config'));
  await symlink(join(keys, 'id'), join(clone, 'id'));
  assert.deepEqual([await copied('config/id'), await copied('id')], [undefined, undefined]);

  await rename(clone, `${clone}-aside`);
  await symlink(keys, clone);
  assert.equal(await copied('id'), undefined);
});

test('a folder that became a link after the look is not followed', async (t) => {
  const { layout, clone, keys, put } = await newHome(t);
  await put(join(clone, 'config', 'id'), 'clone');
  const [source] = await copySources(layout, 'task', 'app', ['config/id']);

  await rename(join(clone, 'config'), join(clone, 'aside'));
  await symlink(keys, join(clone, 'config'));

  assert.equal(readPlainFile(source!.from, 1000), undefined);
  assert.equal(readPlainFile(join(keys, 'id'), 1000)?.content.toString(), 'secret');
});
