import { NODE } from '../support/runtimes.ts';
import { describeDaemon } from './daemon.ts';

describeDaemon(NODE);
