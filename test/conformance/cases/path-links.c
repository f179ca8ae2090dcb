/* case { "root": { "file": "data", "dir/inner": "in" } } */
#include "check.h"
int main(void) {
  __wasi_filestat_t a, b;
  __wasi_size_t n = 0;
  char text[64];
  /* Hard links. */
  OK(__wasi_path_link(ROOT, 0, "file", ROOT, "dir/hard"));
  OK(__wasi_path_filestat_get(ROOT, 0, "file", &a));
  OK(__wasi_path_filestat_get(ROOT, 0, "dir/hard", &b));
  CHECK(a.ino == b.ino && a.dev == b.dev && a.nlink == 2 && b.nlink == 2);
  ERRNO(__wasi_path_link(ROOT, 0, "file", ROOT, "dir/hard"), __WASI_ERRNO_EXIST);
  ERRNO(__wasi_path_link(ROOT, 0, "file", ROOT, "dir"), __WASI_ERRNO_EXIST);
  EITHER(__wasi_path_link(ROOT, 0, "dir", ROOT, "dir2"), __WASI_ERRNO_PERM, __WASI_ERRNO_ACCES);
  ERRNO(__wasi_path_link(ROOT, 0, "none", ROOT, "x"), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_link(ROOT, 0, "file", ROOT, "none/x"), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_link(ROOT, 0, "file", ROOT, "x/"), __WASI_ERRNO_NOENT);
  OK(__wasi_path_unlink_file(ROOT, "file"));
  OK(__wasi_path_filestat_get(ROOT, 0, "dir/hard", &b));
  CHECK(b.nlink == 1 && b.size == 4);
  CHECK(slurp("dir/hard", text, 64) == 4 && strcmp(text, "data") == 0);
  OK(__wasi_path_rename(ROOT, "dir/hard", ROOT, "file"));

  /* Symbolic links. */
  OK(__wasi_path_symlink("file", ROOT, "soft"));
  OK(__wasi_path_symlink("../file", ROOT, "dir/up"));
  OK(__wasi_path_symlink("soft", ROOT, "soft2"));
  ERRNO(__wasi_path_symlink("file", ROOT, "soft"), __WASI_ERRNO_EXIST);
  ERRNO(__wasi_path_symlink("x", ROOT, "none/soft"), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_symlink("x", ROOT, "soft3/"), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_symlink("", ROOT, "soft3"), __WASI_ERRNO_NOENT);
  /* From the container's root an absolute link can be followed, so it can be made; through a fence it cannot. */
  OK(__wasi_path_symlink("/file", ROOT, "absolute"));
  CHECK(slurp("absolute", text, 64) == 4 && strcmp(text, "data") == 0);
  __wasi_fd_t dir;
  OK(__wasi_path_open(ROOT, 0, "dir", __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_PATH_SYMLINK, 0, 0, &dir));
  ERRNO(__wasi_path_symlink("/file", dir, "absolute"), __WASI_ERRNO_NOTCAPABLE);
  OK(__wasi_path_symlink("inner", dir, "relative"));
  OK(__wasi_fd_close(dir));
  OK(__wasi_path_filestat_get(ROOT, 0, "soft", &a));
  CHECK(a.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && a.size == 4);
  OK(__wasi_path_filestat_get(ROOT, 1, "soft2", &a));
  CHECK(a.filetype == __WASI_FILETYPE_REGULAR_FILE);
  CHECK(slurp("soft2", text, 64) == 4 && strcmp(text, "data") == 0);
  CHECK(slurp("dir/up", text, 64) == 4 && strcmp(text, "data") == 0);
  memset(text, 'z', sizeof text);
  OK(__wasi_path_readlink(ROOT, "dir/up", (uint8_t *)text, 64, &n));
  CHECK(n == 7 && memcmp(text, "../filezz", 9) == 0);
  memset(text, 'z', sizeof text);
  OK(__wasi_path_readlink(ROOT, "dir/up", (uint8_t *)text, 3, &n));
  CHECK(n == 3 && memcmp(text, "../zz", 5) == 0);
  OK(__wasi_path_readlink(ROOT, "dir/up", (uint8_t *)text, 0, &n));
  CHECK(n == 0);
  ERRNO(__wasi_path_readlink(ROOT, "file", (uint8_t *)text, 64, &n), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_path_readlink(ROOT, "none", (uint8_t *)text, 64, &n), __WASI_ERRNO_NOENT);
  /* A link to a link is a link to the link, unless told to follow. */
  OK(__wasi_path_link(ROOT, 0, "soft", ROOT, "soft-hard"));
  OK(__wasi_path_filestat_get(ROOT, 0, "soft-hard", &a));
  CHECK(a.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && a.nlink == 2);
  ERRNO(__wasi_path_link(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "soft", ROOT, "x"), __WASI_ERRNO_INVAL);

  /* Loops. */
  OK(__wasi_path_symlink("loop-b", ROOT, "loop-a"));
  OK(__wasi_path_symlink("loop-a", ROOT, "loop-b"));
  __wasi_fd_t fd;
  ERRNO(__wasi_path_open(ROOT, 1, "loop-a", 0, 0, 0, 0, &fd), __WASI_ERRNO_LOOP);
  ERRNO(__wasi_path_open(ROOT, 0, "loop-a/x", 0, 0, 0, 0, &fd), __WASI_ERRNO_LOOP);
  ERRNO(__wasi_path_filestat_get(ROOT, 1, "loop-a", &a), __WASI_ERRNO_LOOP);
  OK(__wasi_path_unlink_file(ROOT, "loop-a"));
  OK(__wasi_path_unlink_file(ROOT, "loop-b"));
  return done();
}
