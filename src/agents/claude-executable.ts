import { createRequire } from 'node:module';

/**
 * The Claude Code executable that belongs to the SDK's version, or undefined if it was not installed with it. npm
 * brings
 * one package per system and C library; where it brought both, the one that fits comes first.
 */
export function claudeExecutable(): string | undefined {
  const ownRequire = createRequire(import.meta.url);
  const sdk = resolvedOr(ownRequire, '@anthropic-ai/claude-agent-sdk');
  if (sdk === undefined) return undefined;
  const platform = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}`;
  const packages = isMusl() ? [`${platform}-musl`, platform] : [platform, `${platform}-musl`];
  const sdkRequire = createRequire(sdk);
  return packages.map((name) => resolvedOr(sdkRequire, `${name}/claude`)).find((path) => path !== undefined);
}

function resolvedOr(from: NodeJS.Require, name: string): string | undefined {
  try {
    return from.resolve(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Node's report names the glibc that it runs on; without one it is musl. */
function isMusl(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}
