/**
 * A build in the words of docker's classic builder: instruction by instruction, in the order of the file, whatever was
 * done at the same time. What it shows as the id of a step is made up (only the last one is an image), as no client
 * can ask for it: nothing of a build that is not its result is an image.
 */
import type { BuildOutcome, BuildStep } from '../engine/builds.ts';
import type { BuildVertexStatus, SolveStatus } from '../spec/build-progress.ts';

const ID_CHARS = 12;
const SCRATCH = /^from\s+(?:--platform=\S+\s+)?scratch(?:\s|$)/i;

/** A line of `POST /build`. */
export interface BuildLine {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: { readonly ID: string };
}

interface Progress {
  isStarted: boolean;
  isDone: boolean;
  isCached: boolean;
  readonly output: string[];
  readonly decoder: TextDecoder;
  readonly amounts: Map<string, BuildVertexStatus>;
}

export class ClassicBuild {
  readonly #emit: (line: BuildLine) => void;
  readonly #vertexes = new Map<string, Progress>();
  #steps: readonly BuildStep[] = [];
  /** The step that is shown. */
  #at = 0;
  /** What of it was said. */
  #isAnnounced = false;
  #isRunning = false;
  #lastId = '';

  constructor(emit: (line: BuildLine) => void) {
    this.#emit = emit;
  }

  plan(steps: readonly BuildStep[]): void {
    this.#steps = steps;
    this.#advance();
  }

  update({ vertexes = [], logs = [], statuses = [] }: SolveStatus): void {
    for (const { digest, started, completed, cached, error } of vertexes) {
      const progress = this.#progress(digest);
      progress.isStarted ||= started !== undefined;
      progress.isDone ||= completed !== undefined && error === undefined;
      progress.isCached ||= cached ?? false;
    }
    for (const { vertex, data } of logs) {
      const progress = this.#progress(vertex);
      progress.output.push(progress.decoder.decode(data, { stream: true }));
    }
    for (const status of statuses) this.#progress(status.vertex).amounts.set(status.id, status);
    this.#advance();
  }

  /** The build is done: what was not told of it, and what it made. */
  finish({ imageId, references }: BuildOutcome): void {
    for (const { vertex } of this.#steps) if (vertex !== undefined) this.#progress(vertex).isDone = true;
    this.#advance(imageId);
    if (imageId === undefined) return;
    this.#emit({ aux: { ID: imageId } });
    this.#say(`Successfully built ${shortened(imageId)}\n`);
    for (const reference of references) this.#say(`Successfully tagged ${reference}\n`);
  }

  #progress(digest: string): Progress {
    let progress = this.#vertexes.get(digest);
    if (progress === undefined) {
      progress = {
        isStarted: false,
        isDone: false,
        isCached: false,
        output: [],
        decoder: new TextDecoder(),
        amounts: new Map(),
      };
      this.#vertexes.set(digest, progress);
    }
    return progress;
  }

  /** As far as the steps have come. The last one's id is the image's, so it waits for that. */
  #advance(imageId?: string): void {
    for (; this.#at < this.#steps.length; this.#at += 1) {
      const step = this.#steps[this.#at] as BuildStep;
      if (!this.#isAnnounced) this.#say(`Step ${this.#at + 1}/${this.#steps.length} : ${step.text}\n`);
      this.#isAnnounced = true;
      const progress = step.vertex === undefined ? undefined : this.#progress(step.vertex);
      if (progress !== undefined) this.#show(step, progress);
      const isLast = this.#at === this.#steps.length - 1;
      if (progress?.isDone === false || (isLast && imageId === undefined)) return;
      this.#end(step, progress, isLast ? imageId : undefined);
      this.#isAnnounced = false;
      this.#isRunning = false;
    }
  }

  #show({ kind, vertex = '' }: BuildStep, progress: Progress): void {
    const amounts = [...progress.amounts.values()];
    progress.amounts.clear();
    if (kind === 'from') for (const amount of amounts) this.#emit(amountLine(amount));
    const output = progress.output.splice(0);
    // Whether it has to run is known when it does.
    if (kind === 'run' && !this.#isRunning && (output.length > 0 || (progress.isDone && !progress.isCached))) {
      this.#isRunning = true;
      this.#say(` ---> Running in ${containerId(vertex)}\n`);
    }
    for (const text of output) if (text !== '') this.#say(text);
  }

  #end({ kind, text, vertex = '' }: BuildStep, progress: Progress | undefined, imageId: string | undefined): void {
    // A base image is there, and not taken from the cache.
    if (progress?.isCached === true && kind !== 'from') this.#say(' ---> Using cache\n');
    if (this.#isRunning) this.#say(` ---> Removed intermediate container ${containerId(vertex)}\n`);
    // Below nothing there is nothing.
    const isEmpty = kind === 'from' && SCRATCH.test(text);
    if (isEmpty && imageId === undefined) this.#lastId = '';
    else this.#lastId = imageId === undefined ? madeUpId(`${this.#lastId} ${vertex} ${text}`) : shortened(imageId);
    this.#say(` ---> ${this.#lastId}\n`);
  }

  #say(stream: string): void {
    this.#emit({ stream });
  }
}

function shortened(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, ID_CHARS);
}

/** Another than the step's own. */
function containerId(vertex: string): string {
  return madeUpId(`container ${vertex}`);
}

/** 48 bits of FNV-1a, twice over: the same for the same text, and nothing more is asked of it. */
function madeUpId(text: string): string {
  let id = '';
  for (let round = 0; id.length < ID_CHARS; round += 1) {
    let hash = 0x811c9dc5 ^ round;
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    id += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return id.slice(0, ID_CHARS);
}

function amountLine({ id, current, total = 0, completed }: BuildVertexStatus): BuildLine {
  const [, layer = id] = /(?:^|[ :])([0-9a-f]{12})[0-9a-f]{52}\b/.exec(id) ?? [];
  if (completed !== undefined) return { status: 'Pull complete', progressDetail: {}, id: layer };
  return { status: 'Downloading', progressDetail: total > 0 ? { current, total } : { current }, id: layer };
}
