import type { Hono } from 'hono';
import type { Engine } from '../engine/engine.ts';
import type { BuildkitDoor } from './buildkit/door.ts';

/** What every family of routes is given. */
export interface Api {
  readonly app: Hono;
  readonly engine: Engine;
  /** Of wctr. */
  readonly version: string;
  /** Where BuildKit's clients are served. */
  readonly buildkit?: () => Promise<BuildkitDoor>;
  /** Execs whose program could not be started, and the exit code that says why. */
  readonly failedExecs: Map<string, number>;
}
