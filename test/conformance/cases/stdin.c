/* case { "stdin": "line one\nline two\nthe end", "stdout": "3 25\n" } */
#include "check.h"
int main(void) {
  __wasi_fdstat_t stat;
  OK(__wasi_fd_fdstat_get(0, &stat));
  CHECK(stat.fs_filetype != __WASI_FILETYPE_DIRECTORY && (stat.fs_rights_base & __WASI_RIGHTS_FD_READ));
  __wasi_size_t n = 0;
  uint8_t head[5];
  __wasi_iovec_t iov[2] = {{head, 2}, {head + 2, 2}};
  OK(__wasi_fd_read(0, iov, 2, &n));
  CHECK(n == 4 && memcmp(head, "line", 4) == 0);
  int lines = 0, bytes = 4;
  for (int c; (c = getchar()) != EOF; bytes++) lines += c == '\n';
  OK(__wasi_fd_read(0, iov, 1, &n));
  CHECK(n == 0);
  printf("%d %d\n", lines + 1, bytes);
  return done();
}
