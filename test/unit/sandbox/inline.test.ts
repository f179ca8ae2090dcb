import { createInlineSandbox } from '../../../src/host/node/sandboxes.ts';
import { sandboxSuite } from '../../support/sandbox-suite.ts';

sandboxSuite({
  name: 'inline',
  open: () => createInlineSandbox(),
  concurrent: false,
  mountsObjects: true,
});
