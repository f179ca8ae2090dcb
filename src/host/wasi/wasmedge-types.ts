/** Numbers of address families and socket types, as WasmEdge's functions have them. */
export const FAMILY_V4 = 1;
export const FAMILY_V6 = 2;
export const TYPE_DATAGRAM = 1;
export const TYPE_STREAM = 2;
