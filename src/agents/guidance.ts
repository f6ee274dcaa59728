import type { Pipeline, Step } from '../contract/pipeline.ts';
import { renderTemplate } from './template.ts';

/** What the guidance on top of a workspace or of a run's folder tells. */
export interface GuidanceFacts {
  readonly workspace: string;
  /** What the workspace is for; null if nobody said. */
  readonly task: string | null;
  /** In the order in which they depend on each other. */
  readonly repos: readonly {
    readonly name: string;
    readonly role: 'edit' | 'read';
    readonly dependsOn: readonly string[];
  }[];
  /** Context packets that concern these repos; the path is absolute or within the folder. */
  readonly context: readonly { readonly purpose: string; readonly path: string }[];
  readonly pipeline: Pipeline | null;
}

/** Where guidance for one repo goes within its clone or worktree: beside its own CLAUDE.md, never committed. */
export const REPO_GUIDANCE_FILE = 'CLAUDE.local.md';

/** The text of CLAUDE.md on top of a workspace or of a run's folder, from `templates/workspace.md`. */
export function workspaceGuidance(template: string, facts: GuidanceFacts): string {
  const values = {
    workspace: facts.workspace,
    task: facts.task ?? 'Nobody wrote it down; the steps say what they are about.',
    repos: facts.repos.map(repoLine).join('\n'),
    dependencies: dependencyLines(facts).join('\n'),
    context:
      facts.context.length === 0
        ? 'There are none.'
        : facts.context.map(({ path, purpose }) => `- \`${path}\`: ${purpose}`).join('\n'),
    pipeline:
      facts.pipeline === null || facts.pipeline.steps.length === 0
        ? 'None is set.'
        : facts.pipeline.steps.map(stepLine).join('\n'),
  };
  const page = renderTemplate(template, values, 'templates/workspace.md');
  // A template that was made before there were tasks does not name it.
  return facts.task === null || /\{\{\s*task\s*\}\}/.test(template) ? page : `${page}\n## Task\n\n${facts.task}\n`;
}

/**
 * The text of {@link REPO_GUIDANCE_FILE}, from `templates/repo.md`; `guidance` is what the user wrote for this repo.
 */
export function repoGuidance(
  template: string,
  facts: { workspace: string; repo: string; role: 'edit' | 'read'; guidance: string },
): string {
  const { workspace, repo, guidance } = facts;
  const role =
    facts.role === 'edit' ? 'changed by this task where needed' : 'read only: what you change here is thrown away';
  return renderTemplate(template, { workspace, repo, role, guidance: guidance.trim() }, 'templates/repo.md');
}

const repoLine = ({ name, role }: GuidanceFacts['repos'][number]): string =>
  `- \`${name}/\`: ${role === 'edit' ? 'may be changed' : 'to be read only; what is changed here is thrown away'}`;

function dependencyLines({ repos }: GuidanceFacts): string[] {
  const lines = repos
    .filter(({ dependsOn }) => dependsOn.length > 0)
    .map(({ name, dependsOn }) => `- \`${name}\` needs ${dependsOn.map((need) => `\`${need}\``).join(', ')}`);
  return lines.length === 0 ? ['No repo needs another.'] : lines;
}

function stepLine(step: Step, index: number): string {
  const place = `${index + 1}. \`${step.name}\`:`;
  switch (step.kind) {
    case 'agent':
      return `${place} agent, role ${step.role}`;
    case 'command':
      return `${place} command \`${step.run.split('\n')[0]}\``;
    case 'script':
      return `${place} script ${step.script}`;
    case 'approve':
      return `${place} a person approves`;
  }
}
