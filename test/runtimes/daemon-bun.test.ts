import { BUN } from '../support/runtimes.ts';
import { describeDaemon } from './daemon.ts';

describeDaemon(BUN);
