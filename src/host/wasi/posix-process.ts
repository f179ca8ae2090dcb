/** Who a program is, which preview 1 does not tell: proc_ids and proc_umask of module `wctr_posix_v1` (spec/wctr-posix.ts). */
import * as k from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import * as p from '../../spec/wctr-posix.ts';
import type { WasiContext } from './context.ts';

export function posixProcess(context: WasiContext) {
  const { guest, calls } = context;

  function field(offset: number): number {
    const { u32 } = context.kernel.u8.length === 0 ? context.kernel.refresh() : context.kernel;
    return u32[(context.process + offset) >>> 2]!;
  }

  return {
    proc_ids(result: number): number {
      const to = result >>> 0;
      if (!guest.holds(to, p.IDS_BYTES)) return w.ERRNO_FAULT;
      const { view } = guest;
      view.setUint32(to + p.IDS_UID, field(k.PROCESS_UID), true);
      view.setUint32(to + p.IDS_GID, field(k.PROCESS_GID), true);
      view.setUint32(to + p.IDS_PID, field(k.PROCESS_PID), true);
      view.setUint32(to + p.IDS_PPID, field(k.PROCESS_PARENT), true);
      view.setUint32(to + p.IDS_UMASK, field(k.PROCESS_UMASK), true);
      return w.ERRNO_SUCCESS;
    },
    proc_umask(mask: number, result: number): number {
      if (!guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      guest.view.setUint32(result >>> 0, calls.umask(context.task, mask), true);
      return w.ERRNO_SUCCESS;
    },
  };
}
