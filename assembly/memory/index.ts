export { regionAlloc, regionBytes, regionFree } from './region';
