import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of takt itself; this code lies at another depth in it once it is bundled. */
export function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new Error('No package.json above the program.');
    folder = above;
  }
  return folder;
}
