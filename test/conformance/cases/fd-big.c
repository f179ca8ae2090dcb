/* case { "root": {} } */
#include <stdlib.h>
#include "check.h"
/* 24 MiB in uneven pieces, read back in others; the memory grows in between, so every cached view goes stale. */
static uint32_t value(uint64_t at) { return (uint32_t)(at * 2654435761u) >> 24; }
int main(void) {
  const uint64_t total = 24u << 20;
  __wasi_fd_t fd;
  OK(__wasi_path_open(ROOT, 0, "big", __WASI_OFLAGS_CREAT, FILE_RIGHTS, 0, 0, &fd));
  uint64_t at = 0;
  for (unsigned step = 1; at < total; step = step * 7 % 100003 + 1) {
    size_t size = step;
    if (at + size > total) size = total - at;
    uint8_t *piece = malloc(size);
    for (size_t i = 0; i < size; i++) piece[i] = value(at + i);
    __wasi_ciovec_t iov[2] = {{piece, size / 3}, {piece + size / 3, size - size / 3}};
    __wasi_size_t n = 0;
    OK(__wasi_fd_write(fd, iov, 2, &n));
    CHECK(n == size);
    if (failures) return 1;
    at += size;
    free(piece);
    if (step % 16 == 0) __builtin_wasm_memory_grow(0, 1);
  }
  uint8_t *all = malloc(total);
  __wasi_filesize_t end;
  OK(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &end));
  at = 0;
  for (;;) {
    __wasi_iovec_t iov = {all + at, total - at < 1000003 ? total - at : 1000003};
    __wasi_size_t n = 0;
    OK(__wasi_fd_read(fd, &iov, 1, &n));
    if (n == 0 || failures) break;
    at += n;
  }
  CHECK(at == total);
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < total; i++) wrong += all[i] != (uint8_t)value(i);
  CHECK(wrong == 0);
  OK(__wasi_fd_close(fd));
  return done();
}
