/* case { "args": ["one", "", "zwei drei", "vier\"4\"", "\u00e9\u4e2d"], "env": ["A=1", "EMPTY=", "PFAD=/a:/b", "\u00fc=\u00f6"] } */
#include "check.h"
int main(int argc, char **argv) {
  CHECK(argc == 6);
  CHECK(strcmp(argv[0], "args.wasm") == 0);
  CHECK(strcmp(argv[1], "one") == 0 && argv[2][0] == 0 && strcmp(argv[3], "zwei drei") == 0);
  CHECK(strcmp(argv[4], "vier\"4\"") == 0 && strcmp(argv[5], "\xc3\xa9\xe4\xb8\xad") == 0);
  __wasi_size_t count = 0, size = 0;
  OK(__wasi_args_sizes_get(&count, &size));
  CHECK(count == 6 && size == 10 + 4 + 1 + 10 + 8 + 6);
  uint8_t *vector[7];
  uint8_t buffer[64];
  memset(vector, 0xee, sizeof vector);
  memset(buffer, 0xee, sizeof buffer);
  OK(__wasi_args_get(vector, buffer));
  CHECK(vector[0] == buffer && vector[1] == buffer + 10 && vector[5] == buffer + size - 6);
  CHECK((uintptr_t)vector[6] == 0xeeeeeeeeu && buffer[size] == 0xee);

  OK(__wasi_environ_sizes_get(&count, &size));
  CHECK(count == 4 && size == 4 + 7 + 11 + 6);
  uint8_t *env[4];
  OK(__wasi_environ_get(env, buffer));
  CHECK(strcmp((char *)env[0], "A=1") == 0 && strcmp((char *)env[1], "EMPTY=") == 0);
  CHECK(strcmp((char *)env[2], "PFAD=/a:/b") == 0 && strcmp((char *)env[3], "\xc3\xbc=\xc3\xb6") == 0);

  ERRNO(__wasi_args_sizes_get(BAD, &size), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_args_sizes_get(&count, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_args_get(BAD, buffer), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_args_get(vector, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_environ_sizes_get(BAD, &size), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_environ_get(BAD, buffer), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_environ_get(env, BAD), __WASI_ERRNO_FAULT);
  return done();
}
