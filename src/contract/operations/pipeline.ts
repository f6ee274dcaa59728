import { z } from 'zod';
import { WorkspaceName } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { Pipeline } from '../pipeline.ts';

const reply = z.object({ workspace: WorkspaceName, pipeline: Pipeline, yaml: z.string(), hash: z.string() });

export const pipelineSet = defineOperation({
  name: 'workspace.pipeline-set',
  summary: 'Sets the ordered steps of a workspace.',
  details:
    'A step is a role (`review`), a role with a model (`review@opus`), a script (`merge_upstream`, `push_to_github`), a shell command (`run:"npm test"`) or `approve`. ' +
    'The full form is YAML: --file reads it, `pipeline-show --yaml` gives it back. It is checked before it is set.',
  examples: [
    {
      line: 'takt workspace pipeline-set feature-auth test review@opus run:"npm test" approve push_to_github',
      does: 'sets five steps',
    },
    {
      line: 'takt workspace pipeline-set feature-auth merge_upstream run:"npm test"',
      does: 'brings the branch up to upstream’s default branch, then tests it',
    },
    { line: 'takt workspace pipeline-set feature-auth --file p.yaml', does: 'sets what the file says' },
  ],
  http: { method: 'PUT', path: '/api/workspaces/:workspace/pipeline' },
  command: { words: ['workspace', 'pipeline-set'], positionals: ['workspace', 'steps'] },
  entities: { workspace: 'workspace', steps: 'role', file: 'file' },
  params: z.strictObject({
    workspace: WorkspaceName,
    steps: z.array(z.string().min(1).max(20_000)).default([]).describe('short forms, in order'),
    /** The command line reads `--file`, and sends its text as `yaml` and its name along, for faults to name. */
    yaml: z.string().max(200_000).optional().describe('the full form'),
    file: z.string().max(4_096).optional().describe('file with the full form; - is standard input'),
    hash: z.string().optional().describe('refuse if the pipeline is not the one with this hash'),
  }),
  reply,
});

export const pipelineShow = defineOperation({
  name: 'workspace.pipeline-show',
  summary: 'Shows the pipeline of a workspace.',
  examples: [
    {
      line: 'takt workspace pipeline-show feature-auth --yaml > p.yaml',
      does: 'writes the full form, to edit and set again',
    },
  ],
  http: { method: 'GET', path: '/api/workspaces/:workspace/pipeline' },
  command: { words: ['workspace', 'pipeline-show'], positionals: ['workspace'] },
  entities: { workspace: 'workspace' },
  who: 'anyone',
  params: z.strictObject({
    workspace: WorkspaceName,
    yaml: z.boolean().default(false).describe('print the full form'),
  }),
  reply,
});
