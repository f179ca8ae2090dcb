/* case { "root": { "f": "0123456789" } } */
#include "check.h"
/* Every pointer of every function, pointing nowhere: EFAULT, and nothing else happens. */
int main(void) {
  __wasi_fd_t fd;
  OK(__wasi_path_open(ROOT, 0, "f", 0, FILE_RIGHTS, 0, 0, &fd));
  uint8_t buf[16];
  __wasi_size_t n;
  __wasi_iovec_t good = {buf, 16}, bad = {BAD, 16}, wraps = {buf, 0xffffffff};
  __wasi_ciovec_t out = {buf, 16}, badout = {BAD, 16};
  /* The last word of the memory is fine, one byte further is not. */
  uintptr_t end = __builtin_wasm_memory_size(0) << 16;
  uint8_t *last = (uint8_t *)end;
  OK(__wasi_clock_time_get(0, 0, (__wasi_timestamp_t *)(last - 8)));
  ERRNO(__wasi_clock_time_get(0, 0, (__wasi_timestamp_t *)(last - 7)), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_read(fd, BAD, 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_read(fd, &bad, 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_read(fd, &wraps, 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_read(fd, (__wasi_iovec_t *)(last - 4), 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_read(fd, &good, 1, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_pread(fd, &bad, 1, 0, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_pread(fd, &good, 1, 0, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_write(fd, &badout, 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_write(fd, &out, 1, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_pwrite(fd, &badout, 1, 0, &n), __WASI_ERRNO_FAULT);
  __wasi_filesize_t at;
  OK(__wasi_fd_tell(fd, &at));
  CHECK(at == 0);
  ERRNO(__wasi_fd_tell(fd, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_seek(fd, 5, 0, BAD), __WASI_ERRNO_FAULT);
  OK(__wasi_fd_tell(fd, &at));
  CHECK(at == 0);
  ERRNO(__wasi_fd_fdstat_get(fd, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_filestat_get(fd, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_path_filestat_get(ROOT, 0, "f", BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_path_open(ROOT, 0, "made", __WASI_OFLAGS_CREAT, 0, 0, 0, BAD), __WASI_ERRNO_FAULT);
  __wasi_filestat_t st;
  ERRNO(__wasi_path_filestat_get(ROOT, 0, "made", &st), __WASI_ERRNO_NOENT);
  OK(__wasi_path_filestat_get(ROOT, 0, "f", &st));
  CHECK(st.size == 10);
  OK(__wasi_path_symlink("f", ROOT, "l"));
  ERRNO(__wasi_path_readlink(ROOT, "l", BAD, 16, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_path_readlink(ROOT, "l", buf, 16, BAD), __WASI_ERRNO_FAULT);
  /* Many small pieces: IOV_MAX holds, one more does not. */
  static __wasi_ciovec_t many[1025];
  for (int i = 0; i < 1025; i++) many[i] = (__wasi_ciovec_t){(const uint8_t *)"x", 1};
  OK(__wasi_fd_write(fd, many, 1024, &n));
  CHECK(n == 1024);
  ERRNO(__wasi_fd_write(fd, many, 1025, &n), __WASI_ERRNO_INVAL);
  return done();
}
