/* case { "root": { "file": "abc", "dir/inner": "x", "to-file": { "link": "file" }, "to-dir": { "link": "dir" }, "dangling": { "link": "nowhere" } } } */
#include "check.h"
static int open_(const char *path, int lookup, int oflags, __wasi_rights_t rights) {
  __wasi_fd_t fd = -1;
  int e = __wasi_path_open(ROOT, lookup, path, oflags, rights, 0, 0, &fd);
  if (e == 0) {
    CHECK(fd > 3);
    OK(__wasi_fd_close(fd));
  }
  return e;
}
#define R __WASI_RIGHTS_FD_READ
#define W __WASI_RIGHTS_FD_WRITE
#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW
int main(void) {
  __wasi_fd_t fd, sub;
  __wasi_filestat_t st;
  OK(open_("file", 0, 0, R));
  OK(open_("./file", 0, 0, R | W));
  OK(open_("dir//../dir/./inner", 0, 0, R));
  ERRNO(open_("file", 0, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, R), __WASI_ERRNO_EXIST);
  ERRNO(open_("dangling", 0, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, R), __WASI_ERRNO_EXIST);
  ERRNO(open_("dangling", FOLLOW, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, R), __WASI_ERRNO_EXIST);
  ERRNO(open_("file", 0, __WASI_OFLAGS_DIRECTORY, R), __WASI_ERRNO_NOTDIR);
  ERRNO(open_("file/", 0, 0, R), __WASI_ERRNO_NOTDIR);
  ERRNO(open_("file/x", 0, 0, R), __WASI_ERRNO_NOTDIR);
  ERRNO(open_("file/..", 0, 0, R), __WASI_ERRNO_NOTDIR);
  ERRNO(open_("none", 0, 0, R), __WASI_ERRNO_NOENT);
  ERRNO(open_("none/x", 0, __WASI_OFLAGS_CREAT, R), __WASI_ERRNO_NOENT);
  ERRNO(open_("", 0, 0, R), __WASI_ERRNO_NOENT);
  ERRNO(open_("dir", 0, 0, R | W), __WASI_ERRNO_ISDIR);
  ERRNO(open_("dir", 0, __WASI_OFLAGS_TRUNC, 0), __WASI_ERRNO_ISDIR);
  ERRNO(open_("dir", 0, __WASI_OFLAGS_DIRECTORY, R | W), __WASI_ERRNO_ISDIR);
  OK(open_("dir", 0, __WASI_OFLAGS_DIRECTORY, R));
  OK(open_("dir/", 0, 0, R));
  OK(open_("dir", 0, 0, 0));
  ERRNO(open_("to-file", 0, 0, R), __WASI_ERRNO_LOOP);
  OK(open_("to-file", FOLLOW, 0, R));
  EITHER(open_("to-dir", 0, __WASI_OFLAGS_DIRECTORY, R), __WASI_ERRNO_LOOP, __WASI_ERRNO_NOTDIR);
  OK(open_("to-dir", FOLLOW, __WASI_OFLAGS_DIRECTORY, R));
  OK(open_("to-dir/inner", 0, 0, R));
  ERRNO(open_("dangling", FOLLOW, 0, R), __WASI_ERRNO_NOENT);
  OK(open_("dangling", FOLLOW, __WASI_OFLAGS_CREAT, R));
  OK(__wasi_path_filestat_get(ROOT, 0, "nowhere", &st));
  ERRNO(open_("file", 0, 0x10, R), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_path_open(ROOT, 0, "file", 0, R, 0, 0x20, &fd), __WASI_ERRNO_INVAL);
  ERRNO(open_("file", 2, 0, R), __WASI_ERRNO_INVAL);
  ERRNO(open_("new/", 0, __WASI_OFLAGS_CREAT, R | W), __WASI_ERRNO_ISDIR);
  EITHER(open_("new", 0, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_DIRECTORY, R), __WASI_ERRNO_INVAL, __WASI_ERRNO_NOENT);

  /* Truncation. */
  OK(open_("file", 0, __WASI_OFLAGS_TRUNC, W));
  OK(__wasi_path_filestat_get(ROOT, 0, "file", &st));
  CHECK(st.size == 0);
  CHECK(create("fresh", "12") == 0);
  char text[8];
  CHECK(slurp("fresh", text, 8) == 2);

  /* What may be asked for: rights pass from a directory's inheriting set, never beyond. */
  OK(__wasi_path_open(ROOT, 0, "dir", __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_READDIR, R, 0, &sub));
  __wasi_fdstat_t fdst;
  OK(__wasi_fd_fdstat_get(sub, &fdst));
  CHECK(fdst.fs_filetype == __WASI_FILETYPE_DIRECTORY);
  CHECK(fdst.fs_rights_base == (__WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_READDIR) && fdst.fs_rights_inheriting == R);
  OK(__wasi_path_open(sub, 0, "inner", 0, R, 0, 0, &fd));
  OK(__wasi_fd_close(fd));
  ERRNO(__wasi_path_open(sub, 0, "inner", 0, R | W, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_open(sub, 0, "inner", 0, R, W, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_open(sub, 0, "inner", __WASI_OFLAGS_TRUNC, R, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_open(sub, 0, "new", __WASI_OFLAGS_CREAT, R, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_create_directory(sub, "d"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_remove_directory(sub, "d"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_unlink_file(sub, "inner"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_symlink("a", sub, "b"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_rename(sub, "inner", ROOT, "b"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_rename(ROOT, "file", sub, "b"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_link(sub, 0, "inner", ROOT, "b"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_link(ROOT, 0, "file", sub, "b"), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_filestat_get(sub, 0, "inner", &st), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_filestat_set_times(sub, 0, "inner", 0, 0, 0), __WASI_ERRNO_NOTCAPABLE);
  __wasi_size_t n;
  ERRNO(__wasi_path_readlink(sub, "inner", (uint8_t *)text, 8, &n), __WASI_ERRNO_NOTCAPABLE);
  OK(__wasi_fd_fdstat_set_rights(sub, 0, 0));
  ERRNO(__wasi_path_open(sub, 0, "inner", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE);
  OK(__wasi_fd_close(sub));

  /* A directory descriptor that is none. */
  OK(__wasi_path_open(ROOT, 0, "file", 0, R, 0, 0, &fd));
  EITHER(__wasi_path_open(fd, 0, "x", 0, 0, 0, 0, &sub), __WASI_ERRNO_NOTDIR, __WASI_ERRNO_NOTCAPABLE);
  OK(__wasi_fd_close(fd));
  EITHER(__wasi_path_open(0, 0, "x", 0, 0, 0, 0, &sub), __WASI_ERRNO_NOTDIR, __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_path_open(99, 0, "x", 0, 0, 0, 0, &sub), __WASI_ERRNO_BADF);
  return done();
}
