/* case {} */
#include "check.h"
int main(int argc, char **argv) {
  (void)argv;
  CHECK(argc == 1);
  __wasi_size_t count = 9, size = 9;
  OK(__wasi_environ_sizes_get(&count, &size));
  CHECK(count == 0 && size == 0);
  OK(__wasi_environ_get((uint8_t **)16, (uint8_t *)16));
  return done();
}
