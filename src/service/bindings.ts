import { operations } from '../contract/operations.ts';
import * as guidance from '../contract/operations/guidance.ts';
import * as pipeline from '../contract/operations/pipeline.ts';
import * as pr from '../contract/operations/pr.ts';
import * as push from '../contract/operations/push.ts';
import * as repo from '../contract/operations/repo.ts';
import * as run from '../contract/operations/run.ts';
import * as service from '../contract/operations/service.ts';
import * as upstream from '../contract/operations/upstream.ts';
import * as workspace from '../contract/operations/workspace.ts';
import { bind, type Binding, bindStream } from './http/binding.ts';
import { eventStream } from './http/events-stream.ts';
import type { OneTimeLinks } from './http/one-time-links.ts';
import { outputStream } from './http/output-stream.ts';
import type { Jobs } from './jobs.ts';
import { listContext, showContext } from './operations/guidance/context.ts';
import { setGuidance, showGuidance } from './operations/guidance/guidance.ts';
import { listRoles, setRole, showRole } from './operations/guidance/roles.ts';
import { listSettings, setSetting, showSetting } from './operations/guidance/settings.ts';
import { listTemplates, setTemplate, showTemplate } from './operations/guidance/templates.ts';
import type { ReplyCache } from '../github/conditional-api.ts';
import { setPipeline, showPipeline } from './operations/pipeline/pipeline.ts';
import { answerFeedback } from './operations/pr/answer-feedback.ts';
import { lookAtPulls } from './operations/pr/look-at-pulls.ts';
import { planWorkspacePulls } from './operations/pr/plan-pulls.ts';
import { listPulls } from './operations/pr/pull-view.ts';
import { recordPulls } from './operations/pr/record-pulls.ts';
import { pushPlan } from './operations/push/plan-push.ts';
import { recordPush } from './operations/push/record-push.ts';
import { addRepo } from './operations/repo/add-repo.ts';
import { fetchRepos } from './operations/repo/fetch-repos.ts';
import { listRepos } from './operations/repo/list-repos.ts';
import { removeRepo } from './operations/repo/remove-repo.ts';
import { repoView } from './operations/repo/repo-view.ts';
import { type ServiceFacts, serviceStatus } from './operations/service/service-status.ts';
import { probeUpstream } from './operations/upstream/probe-upstream.ts';
import { addWorkspaceRepos } from './operations/workspace/add-workspace-repos.ts';
import { createWorkspace } from './operations/workspace/create-workspace.ts';
import { deleteWorkspace } from './operations/workspace/delete-workspace.ts';
import { pullWorkspace } from './operations/workspace/pull-workspace.ts';
import { setTask } from './operations/workspace/set-task.ts';
import { removeWorkspaceRepo } from './operations/workspace/remove-workspace-repo.ts';
import { listWorkspaces, workspaceView } from './operations/workspace/workspace-view.ts';
import { approveRun } from './operations/run/approve-run.ts';
import { cancelRun } from './operations/run/cancel-run.ts';
import { diffRun } from './operations/run/diff-run.ts';
import { landRun } from './operations/run/land-run.ts';
import { listRuns } from './operations/run/list-runs.ts';
import { rejectRun } from './operations/run/reject-run.ts';
import { retryRun } from './operations/run/retry-run.ts';
import type { RunDeps } from './operations/run/run-deps.ts';
import { showRun } from './operations/run/show-run.ts';
import { triggerRun } from './operations/run/trigger-run.ts';
import type { ServiceParts } from './parts.ts';
import type { Background } from './start-runs.ts';

/** What the operations of the service itself are made of. */
export interface OwnParts {
  readonly facts: ServiceFacts;
  readonly jobs: Jobs;
  readonly links: OneTimeLinks;
  readonly background: Background;
  readonly pullCache: ReplyCache;
  /** Asks the service to stop once the reply is out. */
  readonly requestStop: () => void;
}

/** Every operation with its handler; a test holds the list against the contract. */
export function allBindings(parts: ServiceParts, own: OwnParts): Binding[] {
  return [
    ...repoBindings(parts),
    ...workspaceBindings(parts, own.background),
    ...runBindings(parts, own.background),
    ...pullBindings(parts, own),
    ...guidanceBindings(parts),
    ...ownBindings(parts, own),
    ...localBindings(),
  ];
}

function repoBindings(parts: ServiceParts): Binding[] {
  return [
    bind(repo.repoAdd, (params, call) => addRepo(parts, params, call)),
    bind(repo.repoList, () => listRepos(parts)),
    bind(repo.repoShow, (params, { signal }) => repoView(parts, params.repo, signal)),
    bind(repo.repoFetch, (params, call) => fetchRepos(parts, params, call)),
    bind(repo.repoRemove, (params, call) => removeRepo(parts, params, call)),
    bind(upstream.upstreamProbe, (params, call) => probeUpstream(parts, params, call)),
  ];
}

function workspaceBindings(parts: ServiceParts, background: Background): Binding[] {
  const checkRefs = (name: string): Promise<void> =>
    background.watching
      .checkNow(name)
      .catch((error: unknown) => parts.log.warn({ err: error, repo: name }, 'branches could not be compared'));
  return [
    bind(workspace.workspaceCreate, (params, call) => createWorkspace(parts, params, call)),
    bind(workspace.workspaceList, () => listWorkspaces(parts)),
    bind(workspace.workspaceShow, (params, { signal }) => workspaceView(parts, params.workspace, signal)),
    bind(workspace.workspaceAddRepo, (params, call) => addWorkspaceRepos(parts, params, call)),
    bind(workspace.workspaceRemoveRepo, (params, call) => removeWorkspaceRepo(parts, params, call)),
    bind(workspace.workspacePull, (params, call) => pullWorkspace({ ...parts, checkRefs }, params, call)),
    bind(workspace.workspaceTaskSet, (params, call) => setTask(parts, params, call)),
    bind(workspace.workspaceDelete, (params, call) => deleteWorkspace(parts, params, call)),
    bind(pipeline.pipelineSet, (params, call) => setPipeline(parts, params, call)),
    bind(pipeline.pipelineShow, (params) => showPipeline(parts, params)),
    bind(push.push, (params, call) => pushPlan(parts, params, call)),
    bind(push.pushRecord, (params, call) => recordPush(parts, params, call)),
  ];
}

function runBindings({ database, layout, bus }: ServiceParts, background: Background): Binding[] {
  const deps = (): RunDeps => ({ database, layout, desk: background.desk });
  return [
    bind(workspace.workspaceTrigger, (params) => triggerRun(deps(), params)),
    bind(run.runList, (params) => listRuns({ database }, params)),
    bind(run.runShow, (params, { signal }) => showRun({ database, layout }, params, signal)),
    bind(run.runDiff, (params, { signal }) => diffRun({ database, layout }, params, signal)),
    bind(run.runCancel, (params) => cancelRun(deps(), params)),
    bind(run.runRetry, (params) => retryRun(deps(), params)),
    bind(run.runLand, (params) => landRun(deps(), params)),
    bind(run.runApprove, (params) => approveRun(deps(), params)),
    bind(run.runReject, (params) => rejectRun(deps(), params)),
    bindStream(run.runLogs, 'application/x-ndjson; charset=utf-8', (params, call) =>
      outputStream({ database, bus }, params, call),
    ),
  ];
}

function pullBindings(parts: ServiceParts, { background, pullCache: cache }: OwnParts): Binding[] {
  return [
    bind(pr.prList, (params) => listPulls(parts, params)),
    bind(pr.prStatus, (params, { signal }) => lookAtPulls(parts, params, { signal, cache })),
    bind(pr.prFeedback, (params, { signal }) =>
      answerFeedback({ ...parts, desk: background.desk }, params, { signal, cache }),
    ),
    bind(pr.prCreate, (params, call) => planWorkspacePulls(parts, params, call)),
    bind(pr.prRecord, (params) => recordPulls(parts, params)),
  ];
}

function guidanceBindings(parts: ServiceParts): Binding[] {
  return [
    bind(guidance.contextList, (params) => listContext(parts, params)),
    bind(guidance.contextShow, (params) => showContext(parts, params)),
    bind(guidance.templateList, () => listTemplates(parts)),
    bind(guidance.templateShow, (params) => showTemplate(parts, params)),
    bind(guidance.templateSet, (params) => setTemplate(parts, params)),
    bind(guidance.roleList, () => listRoles(parts)),
    bind(guidance.roleShow, (params) => showRole(parts, params)),
    bind(guidance.roleSet, (params) => setRole(parts, params)),
    bind(guidance.guidanceShow, (params) => showGuidance(parts, params)),
    bind(guidance.guidanceSet, (params) => setGuidance(parts, params)),
    bind(guidance.settingList, () => listSettings(parts)),
    bind(guidance.settingShow, (params) => showSetting(parts, params)),
    bind(guidance.settingSet, (params) => setSetting(parts, params)),
  ];
}

function ownBindings(parts: ServiceParts, { facts, jobs, links, requestStop }: OwnParts): Binding[] {
  return [
    bind(service.serviceStatus, () => serviceStatus(parts, facts)),
    bind(service.serviceStop, () => {
      requestStop();
      return { pid: process.pid };
    }),
    bind(service.linkCreate, () => {
      const { once, expiresAtMs } = links.create();
      return { url: `http://127.0.0.1:${facts.port()}/open?once=${once}`, expiresAtMs };
    }),
    bind(service.jobList, () => ({ jobs: jobs.list() })),
    bind(service.jobCancel, (params) => {
      jobs.cancel(params.job);
      return params;
    }),
    bindStream(service.events, 'text/event-stream; charset=utf-8', (params, call) => eventStream(parts, params, call)),
  ];
}

/** Local commands whose plan the service makes. */
const PLANNED = ['push.plan', 'pr.create'];

/** What only the command can do: the service says so. */
function localBindings(): Binding[] {
  return operations
    .filter(({ kind, name }) => kind === 'local' && !PLANNED.includes(name))
    .map((operation) =>
      bind(operation, () => ({ local: true, command: ['takt', ...operation.command.words].join(' ') })),
    );
}
