import { createWorkerSandbox } from '../../../src/host/node/sandboxes.ts';
import { sandboxSuite } from '../../support/sandbox-suite.ts';

sandboxSuite({
  name: 'worker',
  open: () => createWorkerSandbox(),
  close: (sandbox) => (sandbox as ReturnType<typeof createWorkerSandbox>).close(),
  concurrent: true,
  mountsObjects: false,
});
