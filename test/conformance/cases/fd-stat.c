/* case { "root": { "file": "content" } } */
#include "check.h"
int main(void) {
  __wasi_fdstat_t st;
  __wasi_fd_t fd;
  OK(__wasi_path_open(ROOT, 0, "file", 0, FILE_RIGHTS, 0, __WASI_FDFLAGS_APPEND, &fd));
  OK(__wasi_fd_fdstat_get(fd, &st));
  CHECK(st.fs_filetype == __WASI_FILETYPE_REGULAR_FILE && st.fs_flags == __WASI_FDFLAGS_APPEND);
  CHECK(st.fs_rights_base == FILE_RIGHTS);
  OK(__wasi_fd_fdstat_set_flags(fd, 0));
  OK(__wasi_fd_fdstat_get(fd, &st));
  CHECK(st.fs_flags == 0);
  OK(__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_NONBLOCK));
  OK(__wasi_fd_fdstat_get(fd, &st));
  CHECK(st.fs_flags == __WASI_FDFLAGS_NONBLOCK);
  ERRNO(__wasi_fd_fdstat_set_flags(fd, 0x20), __WASI_ERRNO_INVAL);

  /* Rights only shrink. */
  OK(__wasi_fd_fdstat_set_rights(fd, FILE_RIGHTS & ~__WASI_RIGHTS_FD_WRITE, 0));
  OK(__wasi_fd_fdstat_get(fd, &st));
  CHECK(st.fs_rights_base == (FILE_RIGHTS & ~__WASI_RIGHTS_FD_WRITE) && st.fs_rights_inheriting == 0);
  ERRNO(__wasi_fd_fdstat_set_rights(fd, FILE_RIGHTS, 0), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_fdstat_set_rights(fd, 0, __WASI_RIGHTS_FD_READ), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_fdstat_set_rights(fd, (__wasi_rights_t)1 << 63, 0), __WASI_ERRNO_NOTCAPABLE);
  __wasi_ciovec_t out = {(const uint8_t *)"x", 1};
  __wasi_size_t n;
  EITHER(__wasi_fd_write(fd, &out, 1, &n), __WASI_ERRNO_NOTCAPABLE, __WASI_ERRNO_BADF);
  OK(__wasi_fd_fdstat_set_rights(fd, 0, 0));
  __wasi_iovec_t in = {(uint8_t *)&st, 1};
  EITHER(__wasi_fd_read(fd, &in, 1, &n), __WASI_ERRNO_NOTCAPABLE, __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_fdstat_set_flags(fd, 0), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_filestat_set_size(fd, 1), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_sync(fd), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_datasync(fd), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_allocate(fd, 0, 10), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_advise(fd, 0, 10, 0), __WASI_ERRNO_NOTCAPABLE);
  __wasi_filesize_t at;
  ERRNO(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_tell(fd, &at), __WASI_ERRNO_NOTCAPABLE);
  __wasi_filestat_t fst;
  ERRNO(__wasi_fd_filestat_get(fd, &fst), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_MTIM), __WASI_ERRNO_NOTCAPABLE);
  OK(__wasi_fd_close(fd));

  OK(__wasi_path_open(ROOT, 0, "file", 0, FILE_RIGHTS, 0, 0, &fd));
  OK(__wasi_fd_filestat_set_times(fd, 1111, 2222, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
  OK(__wasi_fd_filestat_get(fd, &fst));
  CHECK(fst.atim == 1111 && fst.mtim == 2222 && fst.ctim > 1577836800000000000ull && fst.size == 7 && fst.ino != 0);
  OK(__wasi_fd_filestat_set_times(fd, 5, 5, __WASI_FSTFLAGS_MTIM_NOW));
  OK(__wasi_fd_filestat_get(fd, &fst));
  CHECK(fst.atim == 1111 && fst.mtim > 1577836800000000000ull);
  OK(__wasi_fd_filestat_set_times(fd, 5, 5, 0));
  ERRNO(__wasi_fd_filestat_set_times(fd, 5, 5, 3), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_filestat_set_times(fd, 5, 5, 12), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_filestat_set_times(fd, 5, 5, 16), __WASI_ERRNO_INVAL);
  OK(__wasi_fd_close(fd));

  ERRNO(__wasi_fd_fdstat_get(fd, &st), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_fdstat_set_flags(fd, 0), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_fdstat_set_rights(fd, 0, 0), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_filestat_get(fd, &fst), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_filestat_set_size(fd, 0), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_filestat_set_times(fd, 0, 0, 0), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_sync(fd), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_datasync(fd), __WASI_ERRNO_BADF);
  for (int i = 0; i < 3; i++) {
    OK(__wasi_fd_fdstat_get(i, &st));
    CHECK(st.fs_flags == 0 || st.fs_flags == __WASI_FDFLAGS_APPEND);
    CHECK(st.fs_filetype != __WASI_FILETYPE_DIRECTORY && st.fs_filetype != __WASI_FILETYPE_SYMBOLIC_LINK);
    CHECK(!(st.fs_rights_base & (__WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL)));
    OK(__wasi_fd_filestat_get(i, &fst));
  }
  return done();
}
