/**
 * The packages of `package-lock.json` that an installation lacks or has in another version, by name.
 *
 * `lock` and `installed` are the contents of `package-lock.json` and `node_modules/.package-lock.json`. npm passes
 * silently over optional packages that it could not download, and Claude Code itself is one: so those that are made for
 * this machine count. Tools for working on takt may be absent, but not in another version.
 */
export function missingPackages(lock, installed) {
  return Object.entries(lock.packages).flatMap(([path, wanted]) => {
    if (path === '') return [];
    const found = installed.packages[path];
    if (found?.version === wanted.version) return [];
    const mayBeAbsent = wanted.dev || wanted.devOptional || !isForThisMachine(wanted);
    return found === undefined && mayBeAbsent ? [] : [path.slice(path.lastIndexOf('node_modules/') + 13)];
  });
}

function isForThisMachine({ os, cpu, libc }) {
  return allows(os, process.platform) && allows(cpu, process.arch) && (libc === undefined || allows(libc, libcHere()));
}

/** npm's lists name what is allowed, or with `!` what is not. */
function allows(list, value) {
  if (list === undefined) return true;
  return list.includes(value) || (list.every((entry) => entry.startsWith('!')) && !list.includes(`!${value}`));
}

function libcHere() {
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}
