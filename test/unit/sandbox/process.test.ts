import { createProcessSandbox } from '../../../src/host/node/sandboxes.ts';
import { sandboxSuite } from '../../support/sandbox-suite.ts';

sandboxSuite({
  name: 'process',
  open: () => createProcessSandbox(),
  close: (sandbox) => (sandbox as ReturnType<typeof createProcessSandbox>).close(),
  concurrent: true,
  mountsObjects: false,
});
