import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../../src/node.ts';
import { engineSuite } from '../../support/engine-suite.ts';
import { writeLayout } from '../../support/registry-images.ts';
import { smokeImage } from '../../support/smoke-image.ts';

engineSuite('LocalEngine', async () => {
  const dataRoot = mkdtempSync(join(tmpdir(), 'wctr-engine-'));
  const layout = join(dataRoot, 'layout');
  writeLayout(layout, 'smoke:latest', smokeImage());
  const engine = await openEngine({ dataRoot, env: { HOME: dataRoot } });
  const [loaded] = await engine.images.load({ directory: layout });
  const image = loaded!.references[0]!;
  return {
    engine,
    image,
    close: async () => {
      await engine.close();
      rmSync(dataRoot, { recursive: true, force: true });
    },
  };
});
