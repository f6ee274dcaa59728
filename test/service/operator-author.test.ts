import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCE = join(import.meta.dirname, '..', '..', 'src', 'service', 'runs', 'operator-author.ts');
const SAY = `
import { operatorAuthor } from ${JSON.stringify(SOURCE)};
const desk = { userHome: '/tmp', signal: new AbortController().signal };
console.log(JSON.stringify(await operatorAuthor({}, desk)));
`;

test(
  'a user without an account is an author all the same',
  { skip: process.getuid?.() === 0 ? false : 'another user id needs root' },
  () => {
    const ids = ['--reuid=61999', '--regid=61999', '--clear-groups'];
    const node = [process.execPath, '--input-type=module', '-e', SAY];

    const said = execFileSync('setpriv', [...ids, ...node], {
      cwd: '/',
      env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
      encoding: 'utf8',
    });

    const { name, email } = JSON.parse(said) as { name: string; email: string };
    assert.equal(name, 'user-61999');
    assert.match(email, /^user-61999@./);
  },
);
