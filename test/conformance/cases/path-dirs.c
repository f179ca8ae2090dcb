/* case { "root": { "file": "", "full/x": "", "link": { "link": "full" }, "dangling": { "link": "gone" } } } */
#include "check.h"
int main(void) {
  __wasi_filestat_t st;
  OK(__wasi_path_create_directory(ROOT, "d"));
  OK(__wasi_path_filestat_get(ROOT, 0, "d", &st));
  CHECK(st.filetype == __WASI_FILETYPE_DIRECTORY && st.ino != 0);
  ERRNO(__wasi_path_create_directory(ROOT, "d"), __WASI_ERRNO_EXIST);
  ERRNO(__wasi_path_create_directory(ROOT, "file"), __WASI_ERRNO_EXIST);
  ERRNO(__wasi_path_create_directory(ROOT, "dangling"), __WASI_ERRNO_EXIST);
  ERRNO(__wasi_path_create_directory(ROOT, "none/d"), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_create_directory(ROOT, "file/d"), __WASI_ERRNO_NOTDIR);
  ERRNO(__wasi_path_create_directory(ROOT, ""), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_create_directory(ROOT, "."), __WASI_ERRNO_EXIST);
  OK(__wasi_path_create_directory(ROOT, "d/e/"));
  OK(__wasi_path_create_directory(ROOT, "link/f"));
  OK(__wasi_path_filestat_get(ROOT, 0, "full/f", &st));
  ERRNO(__wasi_path_remove_directory(ROOT, "d"), __WASI_ERRNO_NOTEMPTY);
  ERRNO(__wasi_path_remove_directory(ROOT, "file"), __WASI_ERRNO_NOTDIR);
  ERRNO(__wasi_path_remove_directory(ROOT, "file/"), __WASI_ERRNO_NOTDIR);
  ERRNO(__wasi_path_remove_directory(ROOT, "none"), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_remove_directory(ROOT, "link"), __WASI_ERRNO_NOTDIR);
  EITHER(__wasi_path_remove_directory(ROOT, "d/."), __WASI_ERRNO_INVAL, __WASI_ERRNO_NOTEMPTY);
  EITHER(__wasi_path_remove_directory(ROOT, "d/e/.."), __WASI_ERRNO_NOTEMPTY, __WASI_ERRNO_INVAL);
  ERRNO(__wasi_path_unlink_file(ROOT, "d"), __WASI_ERRNO_ISDIR);
  ERRNO(__wasi_path_unlink_file(ROOT, "d/"), __WASI_ERRNO_ISDIR);
  ERRNO(__wasi_path_unlink_file(ROOT, "file/"), __WASI_ERRNO_NOTDIR);
  ERRNO(__wasi_path_unlink_file(ROOT, "none"), __WASI_ERRNO_NOENT);
  OK(__wasi_path_remove_directory(ROOT, "d/e"));
  OK(__wasi_path_remove_directory(ROOT, "d/"));
  ERRNO(__wasi_path_filestat_get(ROOT, 0, "d", &st), __WASI_ERRNO_NOENT);
  OK(__wasi_path_unlink_file(ROOT, "dangling"));
  OK(__wasi_path_unlink_file(ROOT, "link"));
  OK(__wasi_path_filestat_get(ROOT, 0, "full", &st));

  /* A removed directory that is still open stays empty and takes nothing in. */
  __wasi_fd_t dir, fd;
  OK(__wasi_path_create_directory(ROOT, "open"));
  OK(__wasi_path_open(ROOT, 0, "open", __WASI_OFLAGS_DIRECTORY, ALL_RIGHTS & ~(__WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE | __WASI_RIGHTS_FD_ALLOCATE), ALL_RIGHTS, 0, &dir));
  OK(__wasi_path_remove_directory(ROOT, "open"));
  ERRNO(__wasi_path_open(dir, 0, "x", __WASI_OFLAGS_CREAT, 0, 0, 0, &fd), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_create_directory(dir, "x"), __WASI_ERRNO_NOENT);
  OK(__wasi_fd_close(dir));
  return done();
}
