import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../../contract/faults.ts';

/**
 * The address as git takes it from any folder: a URL, `host:path`, or an absolute path; `~/` is the user's home. Others
 * are Fault INPUT_INVALID, since the service stands in another folder than whoever wrote them.
 */
export function upstreamAddress(written: string): string {
  const address = written.trim();
  if (address === '~' || address.startsWith('~/')) return join(homedir(), address.slice(1));
  if (/^file:\/\//i.test(address)) refuseBadFileUrl(address);
  if (isAbsolute(address) || /^[a-z][a-z0-9+.-]*:\/\/./i.test(address)) return address;
  // As git-clone(1) reads it: `host:path` is SSH, with an IPv6 address in brackets. `name::…` would start a program.
  const isSsh = /^([^/:@\s-][^/:@\s]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_][^/:@\s]*):[^:]/.test(address);
  if (isSsh) return address;
  throw new Fault('INPUT_INVALID', `${address} is neither a URL nor an absolute path.`, {
    hint: 'Give a URL, host:path, or the whole path.',
  });
}

function refuseBadFileUrl(address: string): void {
  try {
    fileURLToPath(address);
  } catch (error) {
    throw new Fault('INPUT_INVALID', `${address} names no file of this machine.`, {
      hint: 'Write it as file:///whole/path, or give the path itself.',
      cause: error,
    });
  }
}
