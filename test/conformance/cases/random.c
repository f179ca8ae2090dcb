/* case {} */
#include <stdlib.h>
#include "check.h"
int main(void) {
  uint8_t small[64] = {0}, other[64] = {0};
  OK(__wasi_random_get(small, 0));
  for (int i = 0; i < 64; i++) CHECK(small[i] == 0);
  OK(__wasi_random_get(small, 32));
  OK(__wasi_random_get(other, 32));
  CHECK(memcmp(small, other, 32) != 0);
  for (int i = 32; i < 64; i++) CHECK(small[i] == 0);
  /* More than one call of the host's generator can give (65,536 bytes). */
  size_t size = 300000;
  uint8_t *big = calloc(size + 16, 1);
  OK(__wasi_random_get(big, size));
  for (size_t at = 0; at + 64 <= size; at += 4096) {
    int zero = 1;
    for (int i = 0; i < 64; i++) zero &= big[at + i] == 0;
    CHECK(!zero);
  }
  int zero = 1;
  for (int i = 1; i <= 32; i++) zero &= big[size - i] == 0;
  CHECK(!zero);
  for (int i = 0; i < 16; i++) CHECK(big[size + i] == 0);
  ERRNO(__wasi_random_get(BAD, 64), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_random_get(small, 0xffffffff), __WASI_ERRNO_FAULT);
  return done();
}
