/** A pull in a process of its own, to be killed: `node registry-pull-child.js <store> <reference>`. */
import { openPullStore } from './registry-pull.ts';

const [root, reference] = process.argv.slice(2) as [string, string];
const { changed } = await openPullStore(root).pull(reference);
process.stdout.write(changed ? 'downloaded\n' : 'up to date\n');
