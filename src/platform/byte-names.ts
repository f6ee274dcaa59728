import { isUtf8 } from 'node:buffer';

/**
 * Names on a disk and of git are bytes. Here each is a text, and two of them are never the same one: what is UTF-8 is
 * itself, and of a part between slashes that is not, each byte above 127 is a lone surrogate, which no UTF-8 gives.
 */
export function nameOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return bytes.toString('latin1').split('/').map(partOf).join('/');
}

/** The bytes of a name that `nameOfBytes` gave. */
export function bytesOfName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, 'utf8');
  return Buffer.concat(name.split('/').flatMap((part, index) => [Buffer.from(index === 0 ? '' : '/'), bytesOf(part)]));
}

/** As a path has to be handed to Node, which writes whatever is no text as the same three bytes. */
export const diskPath = (path: string): string | Buffer => (path.isWellFormed() ? path : bytesOfName(path));

const ESCAPE = 0xdc00;

function partOf(part: string): string {
  const bytes = Buffer.from(part, 'latin1');
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return part.replaceAll(/[\u0080-\u00ff]/g, (byte) => String.fromCharCode(ESCAPE + byte.charCodeAt(0)));
}

function bytesOf(part: string): Buffer {
  if (part.isWellFormed()) return Buffer.from(part, 'utf8');
  const escaped = part.replaceAll(/[\udc80-\udcff]/g, (code) => String.fromCharCode(code.charCodeAt(0) - ESCAPE));
  return Buffer.from(escaped, 'latin1');
}
