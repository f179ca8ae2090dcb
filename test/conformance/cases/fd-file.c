/* case { "root": {} } */
#include "check.h"
static __wasi_fd_t fd;
static uint64_t seek(int64_t by, int whence) {
  __wasi_filesize_t at = 12345;
  OK(__wasi_fd_seek(fd, by, whence, &at));
  return at;
}
int main(void) {
  __wasi_size_t n = 0;
  __wasi_filesize_t at = 0;
  char buf[256];
  OK(__wasi_path_open(ROOT, 0, "f", __WASI_OFLAGS_CREAT, FILE_RIGHTS, 0, 0, &fd));
  CHECK(fd > 3);
  __wasi_ciovec_t out[2] = {{(const uint8_t *)"0123456789", 10}, {(const uint8_t *)"abcdef", 6}};
  OK(__wasi_fd_write(fd, out, 2, &n));
  CHECK(n == 16);
  OK(__wasi_fd_tell(fd, &at));
  CHECK(at == 16);
  CHECK(seek(0, __WASI_WHENCE_SET) == 0 && seek(4, __WASI_WHENCE_CUR) == 4 && seek(-2, __WASI_WHENCE_END) == 14);
  ERRNO(__wasi_fd_seek(fd, -15, __WASI_WHENCE_CUR, &at), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_seek(fd, 0, 3, &at), __WASI_ERRNO_INVAL);
  EITHER(__wasi_fd_seek(fd, INT64_MAX, __WASI_WHENCE_CUR, &at), __WASI_ERRNO_INVAL, __WASI_ERRNO_OVERFLOW);
  __wasi_iovec_t in[2] = {{(uint8_t *)buf, 3}, {(uint8_t *)buf + 3, 100}};
  CHECK(seek(8, __WASI_WHENCE_SET) == 8);
  OK(__wasi_fd_read(fd, in, 2, &n));
  CHECK(n == 8 && memcmp(buf, "89abcdef", 8) == 0);
  OK(__wasi_fd_read(fd, in, 2, &n));
  CHECK(n == 0);
  OK(__wasi_fd_pread(fd, in, 1, 9, &n));
  CHECK(n == 3 && memcmp(buf, "9ab", 3) == 0);
  OK(__wasi_fd_pread(fd, in, 2, 100, &n));
  CHECK(n == 0);
  OK(__wasi_fd_tell(fd, &at));
  CHECK(at == 16);
  /* A hole reads as zeros; the position does not move with pwrite. */
  OK(__wasi_fd_pwrite(fd, out + 1, 1, 100, &n));
  CHECK(n == 6);
  OK(__wasi_fd_pread(fd, in, 2, 14, &n));
  CHECK(n == 92 && memcmp(buf, "ef\0\0", 4) == 0 && buf[85] == 0 && memcmp(buf + 86, "abcdef", 6) == 0);
  /* Past the end, then written: a hole again. */
  CHECK(seek(200, __WASI_WHENCE_SET) == 200);
  OK(__wasi_fd_read(fd, in, 1, &n));
  CHECK(n == 0);
  OK(__wasi_fd_write(fd, out, 1, &n));
  __wasi_filestat_t st;
  OK(__wasi_fd_filestat_get(fd, &st));
  CHECK(st.size == 210 && st.filetype == __WASI_FILETYPE_REGULAR_FILE && st.nlink == 1);
  /* Shrunk and grown, the cut part is zeros. */
  OK(__wasi_fd_filestat_set_size(fd, 5));
  OK(__wasi_fd_filestat_set_size(fd, 12));
  OK(__wasi_fd_pread(fd, in, 2, 0, &n));
  CHECK(n == 12 && memcmp(buf, "01234\0\0\0\0\0\0\0", 12) == 0);
  ERRNO(__wasi_fd_filestat_set_size(fd, UINT64_MAX), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_pread(fd, in, 1, UINT64_MAX, &n), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_pwrite(fd, out, 1, UINT64_MAX, &n), __WASI_ERRNO_INVAL);
  /* Append: every write goes to the end, wherever the position is. */
  OK(__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND));
  CHECK(seek(0, __WASI_WHENCE_SET) == 0);
  OK(__wasi_fd_write(fd, out + 1, 1, &n));
  OK(__wasi_fd_tell(fd, &at));
  CHECK(at == 18);
  OK(__wasi_fd_close(fd));
  ERRNO(__wasi_fd_write(fd, out, 1, &n), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_close(fd), __WASI_ERRNO_BADF);
  /* Two descriptors, one file, two positions; unlinked it lives on. */
  __wasi_fd_t a, b;
  OK(__wasi_path_open(ROOT, 0, "f", 0, FILE_RIGHTS, 0, 0, &a));
  OK(__wasi_path_open(ROOT, 0, "f", 0, FILE_RIGHTS, 0, 0, &b));
  OK(__wasi_path_unlink_file(ROOT, "f"));
  OK(__wasi_fd_write(a, out, 1, &n));
  OK(__wasi_fd_read(b, in, 2, &n));
  CHECK(n == 18 && memcmp(buf, "0123456789", 10) == 0);
  OK(__wasi_fd_filestat_get(a, &st));
  CHECK(st.nlink == 0 && st.size == 18);
  OK(__wasi_fd_close(a));
  OK(__wasi_fd_close(b));
  ERRNO(__wasi_path_open(ROOT, 0, "f", 0, FILE_RIGHTS, 0, 0, &a), __WASI_ERRNO_NOENT);
  return done();
}
