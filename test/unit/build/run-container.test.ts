/** RUN in a process of its own: the shim of dist/bin, real programs. */
import { openRunWorld } from '../../support/run-executor.ts';
import { runExecutorSuite } from '../../support/run-executor-suite.ts';

runExecutorSuite('RUN in a process', () => openRunWorld(), { cancels: true, hasNetwork: true, sharesCaches: true });
