/* case { "exit": 33, "stdout": "before" } */
#include <stdio.h>
#include <wasi/api.h>
int main(void) {
  fputs("before", stdout);
  fflush(stdout);
  __wasi_proc_exit(33);
}
