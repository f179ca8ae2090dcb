/* case { "root": { "a": "A", "b": "BB", "d/x": "X", "e/": null, "full/y": "" } } */
#include "check.h"
static int mv(const char *from, const char *to) { return __wasi_path_rename(ROOT, from, ROOT, to); }
static int there(const char *path) {
  __wasi_filestat_t st;
  return __wasi_path_filestat_get(ROOT, 0, path, &st) == 0;
}
int main(void) {
  char text[8];
  OK(mv("a", "b"));
  CHECK(!there("a") && slurp("b", text, 8) == 1 && text[0] == 'A');
  OK(mv("b", "b"));
  CHECK(there("b"));
  OK(mv("b", "d/b"));
  CHECK(!there("b") && there("d/b"));
  ERRNO(mv("d/b", "e"), __WASI_ERRNO_ISDIR);
  ERRNO(mv("e", "d/b"), __WASI_ERRNO_NOTDIR);
  ERRNO(mv("e", "full"), __WASI_ERRNO_NOTEMPTY);
  ERRNO(mv("none", "x"), __WASI_ERRNO_NOENT);
  ERRNO(mv("d/b", "none/x"), __WASI_ERRNO_NOENT);
  ERRNO(mv("d/b/", "x"), __WASI_ERRNO_NOTDIR);
  ERRNO(mv("d/b", "x/"), __WASI_ERRNO_NOTDIR);
  ERRNO(mv("d", "d/inside"), __WASI_ERRNO_INVAL);
  EITHER(mv(".", "x"), __WASI_ERRNO_BUSY, __WASI_ERRNO_INVAL);
  OK(mv("full", "e"));
  CHECK(!there("full") && there("e/y"));
  OK(mv("d/", "moved"));
  CHECK(there("moved/x") && there("moved/b") && !there("d"));
  OK(mv("moved", "d/"));
  /* Two names of one file: nothing happens. */
  OK(__wasi_path_link(ROOT, 0, "d/x", ROOT, "d/x2"));
  OK(mv("d/x", "d/x2"));
  CHECK(there("d/x") && there("d/x2"));
  /* A symbolic link is renamed itself. */
  OK(__wasi_path_symlink("d/x", ROOT, "soft"));
  OK(mv("soft", "d/soft"));
  __wasi_filestat_t st;
  OK(__wasi_path_filestat_get(ROOT, 0, "d/soft", &st));
  CHECK(st.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
  /* An open file keeps its content when another is renamed over its name. */
  __wasi_fd_t fd;
  CHECK(create("one", "first") == 0 && create("two", "second") == 0);
  OK(__wasi_path_open(ROOT, 0, "one", 0, FILE_RIGHTS, 0, 0, &fd));
  OK(mv("two", "one"));
  __wasi_iovec_t iov = {(uint8_t *)text, 8};
  __wasi_size_t n;
  OK(__wasi_fd_read(fd, &iov, 1, &n));
  CHECK(n == 5 && memcmp(text, "first", 5) == 0);
  OK(__wasi_fd_close(fd));
  CHECK(slurp("one", text, 8) == 6);
  return done();
}
