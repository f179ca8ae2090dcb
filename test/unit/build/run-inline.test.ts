/** RUN on the calling thread: with directories as Node has them, and without paths as in a page. */
import { openRunWorld } from '../../support/run-executor.ts';
import { runExecutorSuite } from '../../support/run-executor-suite.ts';

const traits = { cancels: false, hasNetwork: false };
runExecutorSuite('RUN inline', () => openRunWorld({ isolation: 'inline' }), { ...traits, sharesCaches: true });
runExecutorSuite('RUN without paths', () => openRunWorld({ isolation: 'inline', hasPaths: false }), {
  ...traits,
  sharesCaches: false,
});
