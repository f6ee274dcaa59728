import type { ReplyOf } from '../../contract/operation.ts';
import type { pipelineSet, pipelineShow } from '../../contract/operations/pipeline.ts';
import type {
  workspaceDelete,
  workspaceList,
  workspacePull,
  workspaceRemoveRepo,
  workspaceTrigger,
} from '../../contract/operations/workspace.ts';
import type { KeptWork } from '../../contract/kept-work.ts';
import type { Pipeline, Step } from '../../contract/pipeline.ts';
import type { CloneStatus, Workspace, WorkspaceSummary } from '../../contract/workspace.ts';
import type { Params } from '../../grammar/parse-line.ts';
import { cleanText, oneLine } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { ago, counted, shortCommit } from './figures.ts';
import type { Printers } from './print-reply.ts';
import { paintOf, signOf } from './states.ts';
import { renderFacts, renderTable } from './table.ts';

export const workspacePrinters = {
  'workspace.list': printList,
  'workspace.show': printWorkspace,
  'workspace.create': (workspace: Workspace, page: Page) =>
    `Made the workspace ${workspace.name}.\n${printWorkspace(workspace, page)}${pipelineHint(workspace)}`,
  'workspace.add-repo': printWorkspace,
  'workspace.remove-repo': (left: ReplyOf<typeof workspaceRemoveRepo>, page: Page) =>
    `${printWorkspace(left, page)}${keptLines(left)}`,
  'workspace.pull': printPull,
  'workspace.delete': printDeleted,
  'workspace.task-set': ({ name, task }: WorkspaceSummary) =>
    task === null ? `${name} has no task now.\n` : `The task of ${name}:\n${cleanText(task)}\n`,
  'workspace.trigger': ({ workspace, number }: ReplyOf<typeof workspaceTrigger>) =>
    `Started run ${workspace}/${number}. \`takt run logs ${workspace}/${number} -f\` follows it.\n`,
  'workspace.pipeline-set': ({ workspace, pipeline }: ReplyOf<typeof pipelineSet>, page: Page) =>
    `The pipeline of ${workspace}:\n${stepLines(pipeline, page)}`,
  'workspace.pipeline-show': printPipeline,
} satisfies Printers;

function printList({ workspaces }: ReplyOf<typeof workspaceList>, page: Page): string {
  if (workspaces.length === 0) return 'No workspaces yet. `takt workspace create NAME REPO…` makes one.\n';
  const columns = [
    { title: 'NAME' },
    { title: 'LATEST RUN' },
    { title: 'PULL REQUESTS' },
    { title: 'REPOS', isElastic: true },
    { title: 'PIPELINE', isElastic: true },
    { title: 'MADE' },
  ];
  const rows = workspaces.map(({ name, repos, steps, createdAtMs, latestRun, pulls }) => [
    { text: name, paint: (style: Page['style']) => style.bold },
    runCell(latestRun),
    pulls ?? '-',
    repos.map((repo) => (repo.role === 'read' ? `${repo.name} (read)` : repo.name)).join(', '),
    steps.length === 0 ? 'none' : steps.join(' → '),
    ago(createdAtMs, page.nowMs),
  ]);
  const merged = workspaces.filter(({ pulls }) => pulls === 'merged').map(deletionHint);
  return `${renderTable(columns, rows, page)}${merged.join('')}`;
}

/** A merged workspace has done its work. */
const deletionHint = ({ name }: { readonly name: string }): string =>
  `\nAll pull requests of ${name} are merged: \`takt workspace delete ${name}\` removes it, unless other work is left in it.\n`;

function runCell(run: { number: number; state: string } | null): { text: string; paint?: ReturnType<typeof paintOf> } {
  if (run === null) return { text: '-' };
  const shown = run.state === 'waiting' ? 'asking' : run.state;
  return {
    text: `${signOf(shown)} #${run.number} ${run.state === 'waiting' ? 'waits for you' : run.state}`,
    paint: paintOf(shown),
  };
}

function printWorkspace(workspace: Workspace, page: Page): string {
  const { style } = page;
  const run = workspace.latestRun;
  const facts = renderFacts(
    [
      ['task', oneLine(workspace.task ?? '')],
      ['folder', workspace.folder],
      ['from', cleanText(workspace.base)],
      ['made', ago(workspace.createdAtMs, page.nowMs)],
      ['pipeline', workspace.pipeline === null ? 'none' : workspace.pipeline.steps.map(({ name }) => name).join(' → ')],
      ['latest run', run === null ? 'none' : runCell(run).text],
      ['pull requests', workspace.pulls ?? ''],
    ],
    page,
    '  ',
  );
  const columns = [
    { title: 'REPO' },
    { title: 'BRANCH', isElastic: true },
    { title: 'CLONE' },
    { title: 'ROOT' },
    { title: 'STATE' },
  ];
  const rows = workspace.clones.map((clone) => [
    clone.role === 'read' ? `${clone.repo} (read)` : clone.repo,
    clone.branch ?? '-',
    shortCommit(clone.head),
    shortCommit(clone.root),
    cloneState(clone),
  ]);
  return `${style.bold(workspace.name)}\n${facts}\n${renderTable(columns, rows, page)}${workspace.pulls === 'merged' ? deletionHint(workspace) : ''}`;
}

/** How a clone stands, in words; quiet where nothing is to be done. */
function cloneState(clone: CloneStatus): { text: string; paint?: (style: Page['style']) => (text: string) => string } {
  if (clone.state === 'missing') return { text: 'the folder is gone', paint: (style) => style.red };
  if (clone.state === 'broken') return { text: 'git does not read it', paint: (style) => style.red };
  const parts = [
    clone.isDivergedFromUpstream
      ? `diverged from upstream, which has ${counted(clone.behindUpstream, 'more commit')}`
      : '',
    clone.dirty > 0 ? `${counted(clone.dirty, 'file')} changed` : '',
    clone.unpushed > 0 ? `${clone.unpushed} unpushed` : '',
    clone.unpulled > 0 ? `${clone.unpulled} to pull` : '',
    clone.ahead > 0 ? `${clone.ahead} ahead` : '',
    clone.behind > 0 ? `${clone.behind} behind` : '',
    clone.unreleased > 0 ? `${clone.unreleased} not upstream` : '',
  ].filter((part) => part !== '');
  const needsCare = clone.isDivergedFromUpstream || clone.dirty > 0 || clone.unpushed > 0 || clone.unpulled > 0;
  return { text: parts.join(', ') || 'clean', paint: (style) => (needsCare ? style.yellow : style.dim) };
}

function pipelineHint({ name, pipeline }: Workspace): string {
  return pipeline === null
    ? `\nNo pipeline yet: \`takt workspace pipeline-set ${name} STEP…\` sets one, and a push then starts it.\n`
    : '';
}

function printPull({ results }: ReplyOf<typeof workspacePull>, { style }: Page): string {
  return results.map((result) => `${pulledLine(result, style)}${notAskedLines(result, style)}`).join('');
}

function pulledLine(
  { repo, state, from, to, why, taken, commands = [] }: ReplyOf<typeof workspacePull>['results'][number],
  style: Page['style'],
): string {
  const came = taken === 0 ? '' : ` (${counted(taken, 'commit')} from upstream)`;
  const note = why === null ? '' : `  ${cleanText(why)}\n`;
  switch (state) {
    case 'current':
      return `${style.green('✓')} ${repo}: up to date${came}\n${note}`;
    case 'pulled':
      return `${style.green('✓')} ${repo}: ${shortCommit(from)} → ${shortCommit(to)}${came}\n${note}`;
    case 'refused': {
      const lines = commands.map((command) => `    ${cleanText(command)}\n`).join('');
      const byHand =
        lines === '' ? '' : `  To merge them by hand; where files conflict, mend and commit them before the push:\n`;
      return `${style.red('✗')} ${repo}: ${cleanText(why ?? 'refused')}${came}\n${byHand}${lines}`;
    }
  }
}

function notAskedLines(
  { repo, fault }: ReplyOf<typeof workspacePull>['results'][number],
  style: Page['style'],
): string {
  if (fault === null) return '';
  return `${style.red('✗')} ${repo}: upstream was not asked: ${cleanText(fault.message)}\n    ${cleanText(fault.hint)}\n`;
}

function printDeleted({ deleted, openPulls, ...kept }: ReplyOf<typeof workspaceDelete>): string {
  const open = openPulls.map((url) => `  ${oneLine(url)}\n`).join('');
  return [
    `Deleted the workspace ${deleted}.\n`,
    keptLines(kept),
    open === '' ? '' : `Its pull requests stay open, and takt watches them no more:\n${open}`,
  ].join('');
}

function keptLines({ pins, aside }: KeptWork): string {
  const pinned = pins.map(({ repo, ref, commit }) => `  ${repo}  ${shortCommit(commit)}  ${ref}\n`).join('');
  const moved = aside.map(({ from, to }) => `  ${oneLine(from)}  ${oneLine(to)}\n`).join('');
  return [
    pinned === '' ? '' : `Its unsaved work is pinned in the root repos:\n${pinned}`,
    moved === '' ? '' : `What they cannot hold was moved aside:\n${moved}`,
  ].join('');
}

function printPipeline(
  { workspace, pipeline, yaml }: ReplyOf<typeof pipelineShow>,
  page: Page,
  params: Params,
): string {
  if (params['yaml'] === true) return yaml;
  if (pipeline.steps.length === 0)
    return `${workspace} has no pipeline. \`takt workspace pipeline-set ${workspace} STEP…\` sets one.\n`;
  return stepLines(pipeline, page);
}

function stepLines({ steps }: Pipeline, page: Page): string {
  const columns = [
    { title: '#' },
    { title: 'STEP' },
    { title: 'KIND' },
    { title: 'WHAT', isElastic: true },
    { title: 'LIMITS' },
  ];
  return renderTable(
    columns,
    steps.map((step, at) => [String(at + 1), step.name, step.kind, oneLine(whatOf(step)), limitsOf(step)]),
    page,
  );
}

function whatOf(step: Step): string {
  switch (step.kind) {
    case 'agent':
      return `${step.role}${step.model === undefined ? '' : `@${step.model}`}${step.prompt === undefined ? '' : `: ${step.prompt}`}`;
    case 'command':
      return step.run;
    case 'script':
      return step.script;
    case 'approve':
      return step.prompt ?? 'waits for you';
  }
}

function limitsOf(step: Step): string {
  const parts = [
    step.timeoutS === undefined ? '' : `${step.timeoutS} s`,
    step.retries === undefined ? '' : counted(step.retries, 'retry', 'retries'),
    step.changes === true ? 'has to change something' : '',
    step.confinement === undefined ? '' : `confinement ${step.confinement}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}
