/** How the builder presents itself: one worker, and what it can do. */
import { enabled } from './proto/gateway.ts';

/** Whose messages are spoken. Clients compare it to decide what they may ask. */
const BUILDKIT_VERSION = 'v0.24.0';

export function buildkitVersion(version: string) {
  return { package: 'wctr', version: BUILDKIT_VERSION, revision: version };
}

export function worker(version: string) {
  return {
    ID: 'wctr',
    // Says that images may be of several platforms, pushed, and written as OCI layouts: to clients, that of containerd.
    Labels: new Map([['org.mobyproject.buildkit.worker.snapshotter', 'wctr']]),
    platforms: [{ OS: 'wasi', Architecture: 'wasm' }],
    BuildkitVersion: buildkitVersion(version),
  };
}

/** frontend/gateway/pb/caps.go: of calls on the bridge. */
export const FRONTEND_CAPABILITIES = [
  'solve.base',
  'solve.inlinereturn',
  'return',
  'returnmap',
  'importcaches',
  'proto.refarray',
  'gateway.solve.metadata',
  'gateway.warnings',
  'gateway.evaluate',
  'frontend.caps',
].map(enabled);

/** solver/pb/caps.go: of sources and exporters. */
export const LLB_CAPABILITIES = [
  'source.image',
  'source.image.resolvemode',
  'source.local',
  'source.local.unique',
  'source.local.sessionid',
  'source.local.includepatterns',
  'source.local.followpaths',
  'source.local.excludepatterns',
  'source.local.sharedkeyhint',
  'source.git',
  'source.git.subdir',
  'source.http',
  'source.http.checksum',
  'exec.meta.base',
  'exec.meta.network',
  'exec.meta.proxyenv',
  'exec.mount.bind',
  'exec.mount.cache',
  'exec.mount.tmpfs',
  'exec.mount.secret',
  'file.base',
  'platform',
  'meta.ignorecache',
  'meta.description',
  'exporter.image.annotations',
  'exporter.image.attestations',
  'exporter.sourcedateepoch',
  'exporter.multiple',
].map(enabled);
