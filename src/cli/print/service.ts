import type { ReplyOf } from '../../contract/operation.ts';
import type { jobCancel, jobList } from '../../contract/operations/service.ts';
import type { Job, ServiceStatus } from '../../contract/service.ts';
import { cleanText } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { ago, byteSize, counted } from './figures.ts';
import type { Printers } from './print-reply.ts';
import { paintOf } from './states.ts';
import { renderFacts, renderTable } from './table.ts';

export const servicePrinters = {
  'service.status': printStatus,
  'job.list': printJobs,
  'job.cancel': ({ job }: ReplyOf<typeof jobCancel>) => `Cancelled ${job}.\n`,
} satisfies Printers;

function printStatus(status: ServiceStatus, page: Page): string {
  const { works, why, network } = status.confinement;
  return `${page.style.green('The service runs.')}\n${renderFacts(
    [
      ['home', status.home],
      ['page', `http://127.0.0.1:${status.port} (\`takt open\` opens it with the right to act)`],
      ['process', `${status.pid}, started ${ago(status.startedAtMs, page.nowMs)}, ${byteSize(status.memoryBytes)}`],
      ['run by', status.unit === null ? '' : `the unit ${status.unit}`],
      [
        'steps',
        `${status.stepsRunning} running of ${status.stepsAtOnce} at once; ${counted(status.runsQueued, 'run')} queued`,
      ],
      ['confinement', works ? `works; network ${network}` : page.style.yellow(`does not work: ${cleanText(why)}`)],
      [
        'model',
        status.modelAccess.works ? status.modelAccess.what : page.style.yellow(cleanText(status.modelAccess.what)),
      ],
      ['version', status.version],
    ],
    page,
    '  ',
  )}`;
}

function printJobs({ jobs }: ReplyOf<typeof jobList>, page: Page): string {
  if (jobs.length === 0) return 'No jobs.\n';
  const columns = [
    { title: 'JOB' },
    { title: 'STATE' },
    { title: 'WHAT', isElastic: true },
    { title: 'STARTED' },
    { title: 'PROGRESS', isElastic: true },
  ];
  const progressOf = ({ progress }: Job): string => progress.map(({ label, text }) => `${label}: ${text}`).join('; ');
  return renderTable(
    columns,
    jobs.map((job) => [
      job.id,
      { text: job.state, paint: paintOf(job.state === 'done' ? 'passed' : job.state) },
      job.title,
      ago(job.startedAtMs, page.nowMs),
      progressOf(job),
    ]),
    page,
  );
}
