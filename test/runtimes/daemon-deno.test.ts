import { DENO } from '../support/runtimes.ts';
import { describeDaemon } from './daemon.ts';

describeDaemon(DENO);
