/* case { "stdout": "hello, world\n12", "stderr": "oops" } */
#include "check.h"
int main(void) {
  __wasi_ciovec_t iov[4] = {{(const uint8_t *)"hello", 5}, {BAD, 0}, {(const uint8_t *)", ", 2}, {(const uint8_t *)"world\n", 6}};
  __wasi_size_t n = 0;
  OK(__wasi_fd_write(1, iov, 4, &n));
  CHECK(n == 13);
  iov[0] = (__wasi_ciovec_t){(const uint8_t *)"oops", 4};
  OK(__wasi_fd_write(2, iov, 1, &n));
  CHECK(n == 4);
  n = 9;
  OK(__wasi_fd_write(1, iov, 0, &n));
  CHECK(n == 0);
  iov[0] = (__wasi_ciovec_t){(const uint8_t *)"12", 2};
  ERRNO(__wasi_fd_write(1, BAD, 1, &n), __WASI_ERRNO_FAULT);
  iov[1] = (__wasi_ciovec_t){BAD, 64};
  ERRNO(__wasi_fd_write(1, iov + 1, 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_write(1, iov, 0x20000001, &n), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_write(77, iov, 1, &n), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_write(-1, iov, 1, &n), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_pwrite(1, iov, 1, 0, &n), __WASI_ERRNO_SPIPE);
  ERRNO(__wasi_fd_seek(1, 0, __WASI_WHENCE_CUR, (__wasi_filesize_t *)16), __WASI_ERRNO_SPIPE);
  ERRNO(__wasi_fd_tell(1, (__wasi_filesize_t *)16), __WASI_ERRNO_SPIPE);
  OK(__wasi_fd_write(1, iov, 1, &n));
  return done();
}
