/** The Engine over HTTP does what the Engine in process does: the same suite, through the daemon's router and a socket. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDaemon } from '../../../src/daemon/daemon.ts';
import { RemoteEngine } from '../../../src/engine/remote/remote-engine.ts';
import { nodeHttpClient } from '../../../src/host/node/http-client.ts';
import { listen } from '../../../src/host/node/http-server.ts';
import { openEngine } from '../../../src/node.ts';
import { engineSuite } from '../../support/engine-suite.ts';
import { writeLayout } from '../../support/registry-images.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { smokeImage } from '../../support/smoke-image.ts';

engineSuite('RemoteEngine', async () => {
  const dataRoot = mkdtempSync(join(tmpdir(), 'wctr-remote-'));
  const layout = join(dataRoot, 'layout');
  writeLayout(layout, 'smoke:latest', smokeImage());
  const local = await openEngine({ dataRoot, env: { HOME: dataRoot } });
  const [loaded] = await local.images.load({ directory: layout });
  const socketPath = join(dataRoot, 'd.sock');
  const listener = await listen(createDaemon(local, { version: '0.0.0' }), { path: socketPath }, {});
  const engine = new RemoteEngine(nodeHttpClient({ socketPath }), `unix://${socketPath}`);
  return {
    engine,
    image: loaded!.references[0]!,
    close: async () => {
      await engine.close();
      await listener.close(100);
      await local.close();
      removeTree(dataRoot);
    },
  };
});
