/* case { "root": { "f": "12345678" } } */
#include "check.h"
int main(void) {
  __wasi_fd_t fd;
  __wasi_filestat_t st;
  OK(__wasi_path_open(ROOT, 0, "f", 0, FILE_RIGHTS, 0, 0, &fd));
  OK(__wasi_fd_allocate(fd, 0, 4));
  OK(__wasi_fd_filestat_get(fd, &st));
  CHECK(st.size == 8);
  OK(__wasi_fd_allocate(fd, 4, 100));
  OK(__wasi_fd_filestat_get(fd, &st));
  CHECK(st.size == 104);
  ERRNO(__wasi_fd_allocate(fd, 0, 0), __WASI_ERRNO_INVAL);
  EITHER(__wasi_fd_allocate(fd, UINT64_MAX, 2), __WASI_ERRNO_INVAL, __WASI_ERRNO_FBIG);
  EITHER(__wasi_fd_allocate(fd, 1ull << 62, 1ull << 62), __WASI_ERRNO_FBIG, __WASI_ERRNO_NOSPC);
  for (int advice = 0; advice <= 5; advice++) OK(__wasi_fd_advise(fd, 0, 1000, advice));
  ERRNO(__wasi_fd_advise(fd, 0, 0, 6), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_advise(1, 0, 0, 0), __WASI_ERRNO_SPIPE);
  ERRNO(__wasi_fd_advise(55, 0, 0, 0), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_allocate(55, 0, 1), __WASI_ERRNO_BADF);
  OK(__wasi_fd_sync(fd));
  OK(__wasi_fd_datasync(fd));
  OK(__wasi_fd_close(fd));
  return done();
}
