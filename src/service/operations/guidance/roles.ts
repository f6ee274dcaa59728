import { parseRoles, replaceRole, type RoleText } from '../../../agents/roles.ts';
import { didYouMean } from '../../../config/did-you-mean.ts';
import { editFile, NO_FILE } from '../../../config/edit-file.ts';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { Role, roleSet, roleShow } from '../../../contract/operations/guidance.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { newText } from './new-text.ts';

const FILE = 'templates/pipeline_roles.md';

export function listRoles({ config }: Pick<ServiceParts, 'config'>): { roles: Omit<Role, 'prompt'>[] } {
  return {
    roles: parseRoles(config.rolesText()).map(({ name, purpose, prompt }) => ({ name, purpose, hash: sha256(prompt) })),
  };
}

export function showRole({ config }: Pick<ServiceParts, 'config'>, { role }: ParamsOf<typeof roleShow>): Role {
  return roleIn(config.rolesText(), role);
}

/** Replaces or adds a role. The hash is that of its prompt, so that two people can change two roles. */
export async function setRole(
  parts: Pick<ServiceParts, 'layout' | 'database' | 'bus'>,
  params: ParamsOf<typeof roleSet>,
): Promise<Role> {
  const { role, hash } = params;
  const prompt = newText(params);
  const { text } = await editFile(parts.layout.rolesFile, {
    name: FILE,
    change: (before) => {
      const known = parseRoles(before).find(({ name }) => name === role);
      const current = known === undefined ? NO_FILE : sha256(known.prompt);
      if (current !== hash)
        throw new Fault('FILE_CHANGED', `The role ${role} is not what it was when you read it.`, {
          detail: `Its hash is ${current} now.`,
        });
      return replaceRole(before, role, prompt);
    },
  });
  commit(parts, [{ topic: 'config.update', data: { file: FILE, role } }], () => undefined);
  return roleIn(text, role);
}

function roleIn(text: string, name: string): Role {
  const roles: RoleText[] = parseRoles(text);
  const found = roles.find((role) => role.name === name);
  if (found === undefined)
    throw new Fault(
      'ROLE_NOT_FOUND',
      `No role is called ${name}.${didYouMean(
        name,
        roles.map((role) => role.name),
      )}`,
    );
  const { purpose, prompt } = found;
  return { name, purpose, prompt, hash: sha256(prompt) };
}
