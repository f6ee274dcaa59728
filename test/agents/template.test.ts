import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoGuidance, workspaceGuidance } from '../../src/agents/guidance.ts';
import { renderTemplate, templatePurpose } from '../../src/agents/template.ts';
import { Pipeline } from '../../src/contract/pipeline.ts';

const templateOf = (name: string): string => readFileSync(join(import.meta.dirname, '../../templates', name), 'utf8');

test('placeholders are filled in and the comment at the top is left out', () => {
  const text = '<!-- For tests. -->\n# {{name}}\n\n{{ name }} again: {{text}}\n';

  assert.equal(
    renderTemplate(text, { name: 'lib', text: '{{name}} stays as it is' }),
    '# lib\n\nlib again: {{name}} stays as it is\n',
  );
  assert.equal(templatePurpose(text), 'For tests.');
});

test('a placeholder that nobody knows is a fault with its place and the word that was meant', () => {
  const render = (): unknown =>
    renderTemplate('<!-- x -->\n\nHello\n{{workspcae}}\n', { workspace: 'w', repos: 'r' }, 'templates/workspace.md');

  assert.throws(render, {
    code: 'CONFIG_INVALID',
    message: 'templates/workspace.md:4: nothing is known as {{workspcae}}.',
    hint: 'Did you mean {{workspace}}?',
  });
});

test('the names of an object are no placeholders', () => {
  assert.throws(() => renderTemplate('{{constructor}}', { a: '' }), { code: 'CONFIG_INVALID' });
});

test('the guidance of a workspace names repos, dependencies, packets by path and the pipeline', () => {
  const pipeline = Pipeline.parse({
    steps: [
      { kind: 'agent', name: 'implement', role: 'implement' },
      { kind: 'command', name: 'check', run: 'npm test' },
      { kind: 'approve', name: 'look' },
      { kind: 'script', name: 'out', script: 'push_to_github' },
    ],
  });

  const text = workspaceGuidance(templateOf('workspace.md'), {
    workspace: 'feature-auth',
    task: 'Log in with a second factor.',
    repos: [
      { name: 'lib', role: 'read', dependsOn: [] },
      { name: 'app', role: 'edit', dependsOn: ['lib'] },
    ],
    context: [{ path: '/dev/context/database.md', purpose: 'Tables and their owners.' }],
    pipeline,
  });

  assert.match(text, /^# Workspace feature-auth\n/);
  assert.match(text, /## Task\n\nLog in with a second factor\.\n/);
  assert.match(text, /- `lib\/`: to be read only/);
  assert.match(text, /- `app` needs `lib`/);
  assert.match(text, /- `\/dev\/context\/database\.md`: Tables and their owners\./);
  assert.match(
    text,
    /1\. `implement`: agent, role implement\n2\. `check`: command `npm test`\n3\. `look`: a person approves\n4\. `out`: script push_to_github/,
  );
  assert.doesNotMatch(text, /\{\{|<!--/);
});

test('an empty workspace has guidance, too', () => {
  const text = workspaceGuidance(templateOf('workspace.md'), {
    workspace: 'w',
    task: null,
    repos: [],
    context: [],
    pipeline: null,
  });

  assert.match(text, /There are none\./);
  assert.match(text, /None is set\./);
});

test('the guidance of a repo holds what the user wrote', () => {
  const text = repoGuidance(templateOf('repo.md'), {
    workspace: 'w',
    repo: 'app',
    role: 'edit',
    guidance: 'Use tabs, and {{braces}} stay.\n',
  });

  assert.match(text, /^# app, in workspace w\n/);
  assert.match(text, /Use tabs, and \{\{braces\}\} stay\.\n$/);
});
