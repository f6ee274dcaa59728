import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { openConfig } from '../src/config/config-source.ts';
import { readPipelineYaml } from '../src/config/pipeline-yaml.ts';
import { StageResult } from '../src/contract/stage-result.ts';
import { homeLayout } from '../src/platform/home-layout.ts';

const page = (name: string): string => readFileSync(join(import.meta.dirname, '..', 'docs', 'reference', name), 'utf8');

/** The first block of a language on a page. */
function block(text: string, language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
  assert.ok(found, `the page has no block of ${language}`);
  return found;
}

test('the pipeline on its page is one that takt takes', () => {
  const { steps } = readPipelineYaml(block(page('pipelines.md'), 'yaml'));

  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['agent', 'command', 'approve', 'script'],
  );
});

test('the stage result on its page fits the schema', () => {
  const result = StageResult.parse(JSON.parse(block(page('pipelines.md'), 'json')));

  assert.equal(result.verdict, 'failed');
});

test('the repos on the page of the home are read without a fault', async () => {
  const layout = homeLayout(await mkdtemp(join(tmpdir(), 'takt-docs-')));
  await mkdir(dirname(layout.reposFile), { recursive: true });
  await writeFile(layout.reposFile, block(page('home.md'), 'yaml'));

  const repos = openConfig(layout).repos();

  await rm(layout.home, { recursive: true });
  assert.deepEqual(
    repos.map(({ name, depends_on: needs }) => [name, needs]),
    [
      ['lib', []],
      ['app', ['lib']],
    ],
  );
});
