/** What assembly/layer exports, as JavaScript sees it. Addresses come signed: `>>> 0` before use. */
export interface PassExports {
  passBegin(
    format: number,
    slots: number,
    windowLimit: number,
    entryLimit: number,
    tarLimit: number,
    ratioLimit: number,
    hashes: number,
  ): number;
  passInput(): number;
  passSpace(): number;
  passPush(length: number, last: number): number;
  passRun(): number;
  passHashOnly(length: number): void;
  passHashOnlyInput(): number;
  passChunk(): number;
  passChunkLength(): number;
  passIndex(): number;
  passIndexLength(): number;
  passIndexHeader(): number;
  passBlobDigest(): number;
  passTarDigest(): number;
  passTarBytes(): number;
  passBlobBytes(): number;
  passEntries(): number;
  passFailedAt(): number;
  passName(): number;
  passNameLength(): number;
  passPosition(): number;
}

export interface MergeExports {
  mergeBegin(maxNodes: number): number;
  mergeReserve(bytes: number): number;
  mergeLayer(index: number, length: number): number;
  mergeFailedRecord(): number;
  mergeFinish(): number;
  mergeResult(): number;
}
