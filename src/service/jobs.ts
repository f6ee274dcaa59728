import { Fault } from '../contract/faults.ts';
import type { Job } from '../contract/service.ts';
import { appendEvent } from '../store/events.ts';
import type { ServiceParts } from './parts.ts';

/** How a job says how far it is: `label` names the part, such as a repo; percent is null where nobody knows. */
export type Progress = (label: string, text: string, percent: number | null) => void;

export interface JobWork {
  readonly operation: string;
  /** What is being done to what, for the list. */
  readonly title: string;
  /** Ends when the client goes away; the work then cleans up and ends. */
  readonly signal: AbortSignal;
  readonly onProgress?: Progress;
}

/** The long operations of this process. They live in memory: a restart ends them, and each cleans up after itself. */
export interface Jobs {
  run<Reply>(job: JobWork, work: (call: { signal: AbortSignal; progress: Progress }) => Promise<Reply>): Promise<Reply>;
  list(): Job[];
  /** Asks a job to end; Fault JOB_NOT_FOUND if none with that id is running. */
  cancel(id: string): void;
  /** Ends all of them and resolves when they have cleaned up, or the signal ends. */
  stop(signal: AbortSignal): Promise<void>;
}

interface LiveJob {
  state: Job['state'];
  readonly id: string;
  readonly work: JobWork;
  readonly startedAtMs: number;
  readonly progress: Map<string, string>;
  readonly controller: AbortController;
  ended: Promise<unknown>;
}

const RUNNING_LIMIT = 50;
const KEPT_LIMIT = 100;

type Ground = Pick<ServiceParts, 'bus' | 'database' | 'log'>;

export function createJobs(ground: Ground): Jobs {
  const jobs = new Map<string, LiveJob>();
  let latest = 0;
  const running = (): LiveJob[] => [...jobs.values()].filter(({ state }) => state === 'running');
  const register = (work: JobWork): LiveJob => {
    if (running().length >= RUNNING_LIMIT) {
      throw new Fault('WORKSPACE_BUSY', `${RUNNING_LIMIT} jobs are running already.`, {
        hint: '`takt job list` shows them.',
      });
    }
    latest += 1;
    const job = newJob(`job_${latest}`, work);
    // A job that cannot be told of does not begin.
    tell(ground, job);
    jobs.set(job.id, job);
    dropOldJobs(jobs);
    return job;
  };
  return {
    async run(work, doIt) {
      const job = register(work);
      const signal = AbortSignal.any([work.signal, job.controller.signal]);
      const progress: Progress = (label, text, percent) => {
        job.progress.set(label, text);
        work.onProgress?.(label, text, percent);
      };
      const result = doIt({ signal, progress });
      job.ended = result.then(
        () => settle(ground, job, 'done'),
        () => settle(ground, job, signal.aborted ? 'cancelled' : 'failed'),
      );
      return result;
    },
    list: () => [...jobs.values()].map(viewOf).toReversed(),
    cancel(id) {
      const job = jobs.get(id);
      if (job === undefined || job.state !== 'running') throw new Fault('JOB_NOT_FOUND', `No job ${id} is running.`);
      job.controller.abort(new Fault('CANCELLED', `${job.work.title} was cancelled.`));
    },
    async stop(signal) {
      const open = running();
      for (const { controller, work } of open) {
        controller.abort(new Fault('CANCELLED', `${work.title} was cancelled: the service stops.`));
      }
      const over = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      if (open.length > 0) await Promise.race([Promise.all(open.map(({ ended }) => ended)), over]);
    },
  };
}

function newJob(id: string, work: JobWork): LiveJob {
  const controller = new AbortController();
  return {
    state: 'running',
    id,
    work,
    startedAtMs: Date.now(),
    progress: new Map(),
    controller,
    ended: Promise.resolve(),
  };
}

function dropOldJobs(jobs: Map<string, LiveJob>): void {
  for (const old of jobs.values()) {
    if (jobs.size <= KEPT_LIMIT) return;
    if (old.state !== 'running') jobs.delete(old.id);
  }
}

function tell({ database, bus }: Ground, { id, work, state }: LiveJob): void {
  const data = { job: id, operation: work.operation, title: work.title, state };
  appendEvent(database, { topic: 'job.update', atMs: Date.now(), data });
  bus.wake();
}

/** Whoever asked has the job's result; that the store takes no event more, as on a full disk, is no end of the service. */
function settle(ground: Ground, job: LiveJob, state: Job['state']): void {
  job.state = state;
  try {
    tell(ground, job);
  } catch (error) {
    ground.log.warn({ job: job.id, state, err: error }, 'the end of a job could not be told');
  }
}

function viewOf(job: LiveJob): Job {
  const { id, work, startedAtMs, state } = job;
  return {
    id,
    operation: work.operation,
    title: work.title,
    startedAtMs,
    state,
    progress: [...job.progress].map(([label, text]) => ({ label, text })),
  };
}
