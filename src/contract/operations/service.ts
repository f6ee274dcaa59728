import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { Job, ServiceStatus } from '../service.ts';

const nothing = z.strictObject({});

export const serviceStatus = defineOperation({
  name: 'service.status',
  summary: 'Says whether the service runs, where, and what it does.',
  examples: [{ line: 'takt service status --json', does: 'prints it as JSON' }],
  http: { method: 'GET', path: '/api/status' },
  command: { words: ['service', 'status'], positionals: [] },
  who: 'anyone',
  params: nothing,
  reply: ServiceStatus,
});

export const serviceStop = defineOperation({
  name: 'service.stop',
  summary: 'Stops the service; steps that run go on and are taken in at its next start.',
  examples: [{ line: 'takt service stop', does: 'stops it' }],
  http: { method: 'POST', path: '/api/stop' },
  command: { words: ['service', 'stop'], positionals: [] },
  params: nothing,
  reply: z.object({ pid: z.number().int() }),
});

export const linkCreate = defineOperation({
  name: 'link.create',
  summary: 'Makes a one-time link that hands a browser the token.',
  examples: [],
  http: { method: 'POST', path: '/api/links' },
  command: { words: [], positionals: [] },
  params: nothing,
  reply: z.object({ url: z.string(), expiresAtMs: z.number() }),
});

export const events = defineOperation({
  name: 'event.stream',
  summary: 'Streams events as they happen.',
  details:
    'Over HTTP these are server-sent events with ids; `Last-Event-ID` or `after` resumes, `after=0` gives all. A `resync` event says that the place asked for is gone: read the state anew.',
  examples: [{ line: 'takt events --topics run.*,step.update', does: 'prints each as a line of JSON' }],
  kind: 'stream',
  http: { method: 'GET', path: '/api/events' },
  command: { words: ['events'], positionals: [] },
  who: 'anyone',
  params: z.strictObject({
    topics: z.string().default('').describe('comma list; `run.*` takes all of a kind, nothing means all'),
    after: z.string().optional().describe('id to go on from; 0 for all'),
    workspace: z.string().optional().describe('only events of this workspace'),
  }),
  reply: z.unknown(),
});

export const jobList = defineOperation({
  name: 'job.list',
  summary: 'Lists long operations that the service carries out.',
  examples: [{ line: 'takt job list', does: 'lists them' }],
  http: { method: 'GET', path: '/api/jobs' },
  command: { words: ['job', 'list'], positionals: [] },
  who: 'anyone',
  params: nothing,
  reply: z.object({ jobs: z.array(Job) }),
});

export const jobCancel = defineOperation({
  name: 'job.cancel',
  summary: 'Cancels a long operation; nothing half-made stays.',
  examples: [{ line: 'takt job cancel job_12', does: 'cancels it' }],
  http: { method: 'POST', path: '/api/jobs/:job/cancel' },
  command: { words: ['job', 'cancel'], positionals: ['job'] },
  entities: { job: 'job' },
  params: z.strictObject({ job: z.string().min(1).max(64) }),
  reply: z.object({ job: z.string() }),
});
