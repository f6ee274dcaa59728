import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRoles } from '../../../agents/roles.ts';
import { templatePurpose } from '../../../agents/template.ts';
import { didYouMean } from '../../../config/did-you-mean.ts';
import { editFile, NO_FILE, readFileText } from '../../../config/edit-file.ts';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { templateList, templateSet, templateShow, TextFile } from '../../../contract/operations/guidance.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { purposeOf } from '../../guidance/context-packets.ts';
import { newText } from './new-text.ts';

type TemplateParts = Pick<ServiceParts, 'layout' | 'database' | 'bus'>;

export async function listTemplates({ layout }: Pick<TemplateParts, 'layout'>): Promise<ReplyOf<typeof templateList>> {
  const names = await templateNames(layout.templates);
  const templates = await Promise.all(
    names.map(async (name) => {
      const path = join(layout.templates, name);
      const { text } = await readFileText(path);
      return { name, path, purpose: templatePurpose(text) || purposeOf(text) };
    }),
  );
  return { templates };
}

export async function showTemplate(
  { layout }: Pick<TemplateParts, 'layout'>,
  { template }: ParamsOf<typeof templateShow>,
): Promise<TextFile> {
  const path = join(layout.templates, template);
  const file = await readFileText(path);
  if (file.hash === NO_FILE)
    throw new Fault(
      'TEMPLATE_NOT_FOUND',
      `No template is called ${template}.${didYouMean(template, await templateNames(layout.templates))}`,
    );
  return { name: template, path, ...file };
}

/** Replaces a template that is there; takt knows what it writes from which, so no new ones are made. */
export async function setTemplate(parts: TemplateParts, params: ParamsOf<typeof templateSet>): Promise<TextFile> {
  const { path } = await showTemplate(parts, params);
  const text = newText(params);
  // Roles that could not be read back would stop every run.
  if (path === parts.layout.rolesFile) parseRoles(text);
  const file = await editFile(path, {
    name: `templates/${params.template}`,
    expectedHash: params.hash,
    change: () => text,
  });
  commit(parts, [{ topic: 'config.update', data: { file: `templates/${params.template}` } }], () => undefined);
  return { name: params.template, path, ...file };
}

async function templateNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .toSorted();
}
