import { createRoot } from '../../src/git/root-repo.ts';
import { installPostReceive } from '../../src/service/watching/post-receive.ts';
import { insertRoot } from '../../src/store/roots.ts';
import { limit, newUpstream } from '../git/scratch.ts';
import { doctorHome, type DoctorHome } from './doctor-home.ts';

/** A home with one root repo, as `takt repo add` makes it. */
export async function withRoot(): Promise<{ home: DoctorHome; root: string }> {
  const home = await doctorHome();
  const upstream = newUpstream(home.path('upstream'));
  const root = home.layout.root('app');
  await createRoot({ folder: root, upstream, signal: limit() });
  await installPostReceive(root, 'app', home.layout);
  home.store((database) => insertRoot(database, { repo: 'app', upstream, defaultBranch: 'main' }));
  return { home, root };
}
