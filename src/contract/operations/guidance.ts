import { z } from 'zod';
import { RepoName, WorkspaceName } from '../ids.ts';
import { defineOperation } from '../operation.ts';

/** A text file of the home; `hash` is the SHA-256 of its bytes, `none` if there is no file yet. */
export const TextFile = z.object({ name: z.string(), path: z.string(), text: z.string(), hash: z.string() });
export type TextFile = z.infer<typeof TextFile>;

const change = {
  text: z.string().max(200_000).optional().describe('the new text'),
  /** The command line reads `--file` and sends `text`. */
  file: z.string().optional().describe('file with the new text; - is standard input'),
  hash: z.string().describe('hash of the text that you changed, as `show --json` gives it; `none` for a new file'),
};

export const ContextPacket = z.object({
  name: z.string(),
  purpose: z.string(),
  repo: RepoName.nullable(),
  path: z.string(),
  bytes: z.number().int(),
});
export type ContextPacket = z.infer<typeof ContextPacket>;

export const contextList = defineOperation({
  name: 'context.list',
  summary: 'Lists the context packets with their one-line purposes.',
  examples: [{ line: 'takt context list', does: 'lists them' }],
  http: { method: 'GET', path: '/api/context' },
  command: { words: ['context', 'list'], positionals: [] },
  entities: { workspace: 'workspace' },
  who: 'anyone',
  params: z.strictObject({ workspace: WorkspaceName.optional().describe('only those that concern its repos') }),
  reply: z.object({ packets: z.array(ContextPacket) }),
});

export const contextShow = defineOperation({
  name: 'context.show',
  summary: 'Prints one context packet.',
  examples: [{ line: 'takt context show database', does: 'prints context/database.md' }],
  http: { method: 'GET', path: '/api/context/:packet' },
  command: { words: ['context', 'show'], positionals: ['packet'] },
  entities: { packet: 'context' },
  who: 'anyone',
  params: z.strictObject({ packet: z.string().min(1).max(200) }),
  reply: TextFile,
});

const TemplateName = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/);

export const templateList = defineOperation({
  name: 'template.list',
  summary: 'Lists the templates that takt writes guidance from.',
  examples: [{ line: 'takt template list', does: 'lists them' }],
  http: { method: 'GET', path: '/api/templates' },
  command: { words: ['template', 'list'], positionals: [] },
  who: 'anyone',
  params: z.strictObject({}),
  reply: z.object({ templates: z.array(z.object({ name: z.string(), path: z.string(), purpose: z.string() })) }),
});
export const templateShow = defineOperation({
  name: 'template.show',
  summary: 'Prints one template.',
  examples: [{ line: 'takt template show workspace.md', does: 'prints it' }],
  http: { method: 'GET', path: '/api/templates/:template' },
  command: { words: ['template', 'show'], positionals: ['template'] },
  entities: { template: 'template' },
  who: 'anyone',
  params: z.strictObject({ template: TemplateName }),
  reply: TextFile,
});
export const templateSet = defineOperation({
  name: 'template.set',
  summary: 'Replaces one template, if it is still the one that you read.',
  examples: [{ line: 'takt template set workspace.md --file new.md --hash HASH', does: 'replaces it' }],
  http: { method: 'PUT', path: '/api/templates/:template' },
  command: { words: ['template', 'set'], positionals: ['template'] },
  entities: { template: 'template', file: 'file' },
  params: z.strictObject({ template: TemplateName, ...change }),
  reply: TextFile,
});

export const Role = z.object({ name: z.string(), purpose: z.string(), prompt: z.string(), hash: z.string() });
export type Role = z.infer<typeof Role>;

export const roleList = defineOperation({
  name: 'role.list',
  summary: 'Lists the roles that agent steps can take.',
  examples: [{ line: 'takt role list', does: 'lists them' }],
  http: { method: 'GET', path: '/api/roles' },
  command: { words: ['role', 'list'], positionals: [] },
  who: 'anyone',
  params: z.strictObject({}),
  reply: z.object({ roles: z.array(Role.omit({ prompt: true })) }),
});
export const roleShow = defineOperation({
  name: 'role.show',
  summary: 'Prints the prompt of a role.',
  examples: [{ line: 'takt role show review', does: 'prints it' }],
  http: { method: 'GET', path: '/api/roles/:role' },
  command: { words: ['role', 'show'], positionals: ['role'] },
  entities: { role: 'role' },
  who: 'anyone',
  params: z.strictObject({ role: z.string().min(1).max(64) }),
  reply: Role,
});
export const roleSet = defineOperation({
  name: 'role.set',
  summary: 'Replaces the prompt of a role, or adds one.',
  examples: [
    {
      line: 'takt role set review --file review.md --hash HASH',
      does: 'replaces it, if it is still the one that you read',
    },
  ],
  http: { method: 'PUT', path: '/api/roles/:role' },
  command: { words: ['role', 'set'], positionals: ['role'] },
  entities: { role: 'role', file: 'file' },
  params: z.strictObject({
    role: z
      .string()
      .max(64)
      .regex(/^[a-z][a-z0-9_-]*$/),
    ...change,
  }),
  reply: Role,
});

export const guidanceShow = defineOperation({
  name: 'guidance.show',
  summary: 'Prints the guidance (CLAUDE.md) of a workspace, or of one repo.',
  examples: [
    { line: 'takt guidance show --workspace feature-auth', does: 'prints the CLAUDE.md on top of the workspace' },
    { line: 'takt guidance show --repo app', does: 'prints what every clone of `app` gets' },
  ],
  http: { method: 'GET', path: '/api/guidance' },
  command: { words: ['guidance', 'show'], positionals: [] },
  entities: { workspace: 'workspace', repo: 'repo' },
  who: 'anyone',
  params: z.strictObject({ workspace: WorkspaceName.optional(), repo: RepoName.optional() }),
  reply: TextFile,
});
export const guidanceSet = defineOperation({
  name: 'guidance.set',
  summary: 'Replaces the guidance of a workspace, or of one repo.',
  examples: [
    {
      line: 'takt guidance set --repo app --file app.md --hash HASH',
      does: 'replaces it, if it is still the one that you read',
    },
  ],
  http: { method: 'PUT', path: '/api/guidance' },
  command: { words: ['guidance', 'set'], positionals: [] },
  entities: { workspace: 'workspace', repo: 'repo', file: 'file' },
  params: z.strictObject({ workspace: WorkspaceName.optional(), repo: RepoName.optional(), ...change }),
  reply: TextFile,
});

const SettingValue = z.object({ key: z.string(), value: z.unknown(), isDefault: z.boolean(), about: z.string() });

export const settingList = defineOperation({
  name: 'setting.list',
  summary: 'Lists the settings with their values.',
  examples: [{ line: 'takt setting list', does: 'lists them' }],
  http: { method: 'GET', path: '/api/settings' },
  command: { words: ['setting', 'list'], positionals: [] },
  who: 'anyone',
  params: z.strictObject({}),
  reply: z.object({ path: z.string(), hash: z.string(), settings: z.array(SettingValue) }),
});
export const settingShow = defineOperation({
  name: 'setting.show',
  summary: 'Shows one setting.',
  examples: [{ line: 'takt setting show on_new_push', does: 'prints its value' }],
  http: { method: 'GET', path: '/api/settings/:key' },
  command: { words: ['setting', 'show'], positionals: ['key'] },
  entities: { key: 'setting' },
  who: 'anyone',
  params: z.strictObject({ key: z.string().min(1).max(100) }),
  reply: SettingValue.extend({ hash: z.string() }),
});
export const settingSet = defineOperation({
  name: 'setting.set',
  summary: 'Changes one setting in settings.yaml; comments stay.',
  examples: [
    { line: 'takt setting set on_new_push finish', does: 'changes it' },
    { line: 'takt setting set steps_at_once default', does: 'goes back to the default' },
  ],
  http: { method: 'PUT', path: '/api/settings/:key' },
  command: { words: ['setting', 'set'], positionals: ['key', 'value'] },
  entities: { key: 'setting' },
  params: z.strictObject({
    key: z.string().min(1).max(100),
    value: z.string().max(2000).describe('as YAML; `default` takes the setting out of the file'),
    hash: z.string().optional().describe('refuse if the file is not the one with this hash'),
  }),
  reply: SettingValue.extend({ hash: z.string() }),
});
