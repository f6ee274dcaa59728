import { z } from 'zod';
import { defineOperation } from '../operation.ts';

const done = z.unknown();
const nothing = z.strictObject({});
/** Local commands have a path all the same, under which the service says that this is done on the machine itself. */
const local = (path: string) => ({
  kind: 'local' as const,
  http: { method: 'GET' as const, path: `/api/local/${path}` },
});

export const init = defineOperation({
  name: 'home.init',
  summary: 'Makes a home: the folder that holds everything of takt.',
  examples: [{ line: 'takt init ~/dev', does: 'makes one in an empty folder; TAKT_HOME is the default' }],
  ...local('init'),
  command: { words: ['init'], positionals: ['folder'] },
  entities: { folder: 'file' },
  params: z.strictObject({ folder: z.string().optional() }),
  reply: done,
});
export const serviceStart = defineOperation({
  name: 'service.start',
  summary: 'Starts the service in the background; fine if it runs already.',
  examples: [{ line: 'takt service start', does: 'starts it' }],
  ...local('service-start'),
  command: { words: ['service', 'start'], positionals: [] },
  params: nothing,
  reply: done,
});
export const serviceRun = defineOperation({
  name: 'service.run',
  summary: 'Runs the service in this terminal.',
  examples: [{ line: 'takt service run', does: 'runs it until Ctrl-C' }],
  ...local('service-run'),
  command: { words: ['service', 'run'], positionals: [] },
  params: nothing,
  reply: done,
});
export const serviceRestart = defineOperation({
  name: 'service.restart',
  summary: 'Stops and starts the service; steps that run are not disturbed.',
  examples: [{ line: 'takt service restart', does: 'restarts it' }],
  ...local('service-restart'),
  command: { words: ['service', 'restart'], positionals: [] },
  params: nothing,
  reply: done,
});
export const serviceLogs = defineOperation({
  name: 'service.logs',
  summary: 'Prints the service’s own log.',
  examples: [{ line: 'takt service logs -f', does: 'follows it' }],
  ...local('service-logs'),
  command: { words: ['service', 'logs'], positionals: [], shorts: { follow: 'f', lines: 'n' } },
  params: z.strictObject({
    follow: z.boolean().default(false),
    lines: z.coerce.number().int().min(1).max(100_000).default(200).describe('how many of the last lines'),
  }),
  reply: done,
});
export const open = defineOperation({
  name: 'page.open',
  summary: 'Opens the service’s page in a browser, with the right to act.',
  examples: [{ line: 'takt open --print', does: 'only prints the one-time link' }],
  ...local('open'),
  command: { words: ['open'], positionals: [] },
  params: z.strictObject({ print: z.boolean().default(false).describe('print the link and open nothing') }),
  reply: done,
});
export const doctor = defineOperation({
  name: 'home.doctor',
  summary: 'Checks what takt needs on this machine, each with its fix.',
  details:
    'It looks and changes nothing. --fix does what loses nothing, says what it did, and tells of the state afterwards; what could hold work is only named, with the command that removes it.',
  examples: [
    { line: 'takt doctor', does: 'checks versions, git, bubblewrap, disk, login, port and what was left behind' },
    { line: 'takt doctor --fix', does: 'puts hooks, rights and folders back, and removes what killed processes left' },
  ],
  ...local('doctor'),
  command: { words: ['doctor'], positionals: [] },
  params: z.strictObject({
    fix: z.boolean().default(false).describe('mend what can be mended without losing anything'),
  }),
  reply: done,
});
export const demo = defineOperation({
  name: 'demo.run',
  summary: 'Shows the main job on three small repositories in a temporary home.',
  examples: [
    { line: 'takt demo', does: 'runs offline: Claude Code is real, its model is scripted' },
    { line: 'takt demo --live', does: 'uses your own login and model' },
  ],
  ...local('demo'),
  command: { words: ['demo'], positionals: [] },
  params: z.strictObject({
    live: z.boolean().default(false).describe('use your own login instead of the scripted model'),
    keep: z.boolean().default(false).describe('keep the temporary home'),
  }),
  reply: done,
});
export const completion = defineOperation({
  name: 'completion.print',
  summary: 'Prints the completion script for a shell.',
  examples: [{ line: 'source <(takt completion bash)', does: 'completes in this shell; bash, zsh and fish are known' }],
  ...local('completion'),
  command: { words: ['completion'], positionals: ['shell'] },
  params: z.strictObject({ shell: z.enum(['bash', 'zsh', 'fish']) }),
  reply: done,
});
export const version = defineOperation({
  name: 'home.version',
  summary: 'Prints the version.',
  examples: [{ line: 'takt version', does: 'prints it' }],
  ...local('version'),
  command: { words: ['version'], positionals: [] },
  params: nothing,
  reply: done,
});
