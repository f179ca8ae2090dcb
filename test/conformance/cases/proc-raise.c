/* case { "signal": "TERM" } */
#include "check.h"
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int proc_raise(int signal);
int main(void) {
  OK(proc_raise(0));
  OK(proc_raise(16)); /* CHLD: ignored by default */
  ERRNO(proc_raise(31), __WASI_ERRNO_INVAL);
  ERRNO(proc_raise(255), __WASI_ERRNO_INVAL);
  if (failures) return 1;
  (void)proc_raise(15);
  return 2;
}
