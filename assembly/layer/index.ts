/** The layer pass and the merge, as exported to JavaScript. */

export { tarFeed, tarFinish, tarNext, tarPlace } from '../tar/reader';
export { mergeBegin, mergeFailedRecord, mergeFinish, mergeLayer, mergeReserve, mergeResult } from './merge';
export { writeEntry } from './writer';
