import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { said, withClone } from './with-clone.ts';

test('where a clone pushes to is taken over and said, unless the user says where', async () => {
  await using adopting = await withClone();
  const { opened, upstream, clone } = adopting;
  const [fork, mine] = [await opened.upstream('fork'), await opened.upstream('mine')];
  await opened.git(clone, 'config', 'remote.origin.pushurl', fork);

  const taken = await adopting.add({}, 'taken');
  const named = await adopting.add({ pushUrl: mine }, 'named');
  await opened.git(clone, 'config', '--add', 'remote.origin.pushurl', mine);
  const several = await adopting.add({}, 'several');
  await opened.git(clone, 'config', '--unset-all', 'remote.origin.pushurl');
  await opened.git(clone, 'config', 'remote.pushDefault', 'away');
  const unknown = await adopting.add({}, 'unknown');
  await opened.git(clone, 'remote', 'add', 'away', mine);
  const another = await adopting.add({}, 'another');
  await opened.git(clone, 'config', '--unset', 'remote.pushDefault');
  const same = await adopting.add({}, 'same');

  const text = await readFile(join(opened.home, 'config', 'repos.yaml'), 'utf8');
  assert.deepEqual(
    [...text.matchAll(/name: (.*)\n.*\n +push_url: (.*)\n/g)].map(([, name, url]) => [name, url]),
    [
      ['taken', fork],
      ['named', mine],
      ['several', fork],
      ['another', mine],
    ],
  );
  assert.equal(
    taken.body.notices[1],
    `Branches are pushed to ${fork}, as that clone does (remote.origin.pushurl); it is the push_url.`,
  );
  assert.doesNotMatch(named.body.notices.join('\n'), /push/);
  assert.equal(several.body.notices[2], `That clone pushes to more places at once, which were not taken: ${mine}.`);
  assert.match(
    unknown.body.notices[1],
    /^That clone pushes to away \(remote\.pushDefault\), which is none of its remotes/,
  );
  assert.match(
    another.body.notices[1],
    /^Branches are pushed to .*mine\.git, as that clone does \(remote\.pushDefault\)/,
  );
  assert.deepEqual(
    [taken, another, same].map(({ body }) => [body.upstream, body.pushUrl]),
    [
      [upstream, fork],
      [upstream, mine],
      [upstream, null],
    ],
  );
});

test('a place that a clone pushes to and that is not reached is named without its password, and nothing stays', async () => {
  await using adopting = await withClone();
  const { opened, clone } = adopting;
  await opened.git(clone, 'config', 'remote.origin.pushurl', 'https://bob:geheim@127.0.0.1:1/fork.git');

  const away = await adopting.add();
  await opened.git(clone, 'config', 'remote.origin.pushurl', 'ext::sh -c "touch /tmp/x"');
  const program = await adopting.add();
  await opened.git(clone, 'config', 'remote.origin.pushurl', 'no_push');
  const none = await adopting.add();

  assert.equal(said(away)[0], 'UPSTREAM_UNREACHABLE', away.text);
  assert.match(
    said(away)[2]!,
    /The clone .*my clone pushes there \(remote\.origin\.pushurl\); --push-url names another place\.$/,
  );
  assert.doesNotMatch(away.text, /geheim/);
  assert.deepEqual(said(program).slice(0, 1), ['INPUT_INVALID']);
  assert.match(said(program).join(' '), /remote\.origin\.pushurl of .*my clone says: ext::.* --push-url/);
  assert.deepEqual(said(none).slice(0, 1), ['UPSTREAM_MISSING']);
  assert.deepEqual(await readdir(join(opened.home, 'root')), []);
});

test('files that a configuration includes may say where it pushes to, and that is said', async () => {
  await using adopting = await withClone();
  const { opened, clone } = adopting;
  await opened.git(clone, 'config', 'include.path', 'more');

  const added = await adopting.add();

  assert.match(added.body.notices[1], /includes other files, which takt does not read: .* --push-url takes it\.$/);
});
