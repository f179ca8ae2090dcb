/* case { "root": { "f": "" } } */
#include "check.h"
int main(void) {
  __wasi_fd_t fd, out;
  uint8_t buf[8];
  __wasi_iovec_t in = {buf, 8};
  __wasi_ciovec_t data = {buf, 8};
  __wasi_size_t n;
  __wasi_roflags_t flags;
  OK(__wasi_path_open(ROOT, 0, "f", 0, FILE_RIGHTS, 0, 0, &fd));
  int files[] = {fd, ROOT, 0, 1};
  for (int i = 0; i < 4; i++) {
    ERRNO(__wasi_sock_accept(files[i], 0, &out), __WASI_ERRNO_NOTSOCK);
    ERRNO(__wasi_sock_recv(files[i], &in, 1, 0, &n, &flags), __WASI_ERRNO_NOTSOCK);
    ERRNO(__wasi_sock_send(files[i], &data, 1, 0, &n), __WASI_ERRNO_NOTSOCK);
    ERRNO(__wasi_sock_shutdown(files[i], __WASI_SDFLAGS_RD), __WASI_ERRNO_NOTSOCK);
  }
  ERRNO(__wasi_sock_accept(99, 0, &out), __WASI_ERRNO_BADF);
  ERRNO(__wasi_sock_recv(99, &in, 1, 0, &n, &flags), __WASI_ERRNO_BADF);
  ERRNO(__wasi_sock_send(99, &data, 1, 0, &n), __WASI_ERRNO_BADF);
  ERRNO(__wasi_sock_shutdown(99, __WASI_SDFLAGS_RD), __WASI_ERRNO_BADF);
  return done();
}
