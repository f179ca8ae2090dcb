/* case { "exit": 0 } */
#include <wasi/api.h>
int main(void) {
  __wasi_proc_exit(0);
}
