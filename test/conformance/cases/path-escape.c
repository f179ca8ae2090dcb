/* case { "root": { "secret": "outside", "jail/": null, "jail/in": "inside", "jail/deep/x": "x", "jail/up": { "link": "../secret" }, "jail/abs": { "link": "/secret" }, "jail/chain": { "link": "deep/../../secret" }, "jail/ok": { "link": "deep/../in" } } } */
#include "check.h"
/* A directory descriptor is a fence: nothing above it is reached through it, whatever the path or links say. */
#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW
static __wasi_fd_t jail;
static int open_(const char *path, int oflags) {
  __wasi_fd_t fd;
  int e = __wasi_path_open(jail, FOLLOW, path, oflags, 0, 0, 0, &fd);
  if (e == 0) OK(__wasi_fd_close(fd));
  return e;
}
#define FENCED(call) EITHER(call, __WASI_ERRNO_NOTCAPABLE, __WASI_ERRNO_PERM)
int main(void) {
  __wasi_filestat_t st;
  __wasi_size_t n;
  uint8_t text[16];
  __wasi_rights_t rights = ALL_RIGHTS & ~(__WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE | __WASI_RIGHTS_FD_ALLOCATE);
  OK(__wasi_path_open(ROOT, 0, "jail", __WASI_OFLAGS_DIRECTORY, rights, ALL_RIGHTS, 0, &jail));
  OK(open_("in", 0));
  OK(open_("ok", 0));
  OK(open_("deep/..", 0));
  OK(open_("deep/../deep/../in", 0));
  const char *out[] = {"..", "../secret", "deep/../../secret", "/secret", "/", "up", "abs", "chain", "./../secret", "deep/../..", "..//secret"};
  for (unsigned i = 0; i < sizeof out / sizeof *out; i++) {
    FENCED(open_(out[i], 0));
    FENCED(__wasi_path_filestat_get(jail, FOLLOW, out[i], &st));
    FENCED(__wasi_path_filestat_set_times(jail, FOLLOW, out[i], 1, 1, __WASI_FSTFLAGS_MTIM));
  }
  const char *make[] = {"../new", "/new", "deep/../../new"};
  for (unsigned i = 0; i < sizeof make / sizeof *make; i++) {
    FENCED(open_(make[i], __WASI_OFLAGS_CREAT));
    FENCED(__wasi_path_create_directory(jail, make[i]));
    FENCED(__wasi_path_symlink("x", jail, make[i]));
    FENCED(__wasi_path_link(jail, 0, "in", jail, make[i]));
    FENCED(__wasi_path_rename(jail, "in", jail, make[i]));
  }
  FENCED(__wasi_path_unlink_file(jail, "../secret"));
  FENCED(__wasi_path_remove_directory(jail, "../jail/deep"));
  FENCED(__wasi_path_rename(jail, "../secret", jail, "stolen"));
  FENCED(__wasi_path_link(jail, 0, "../secret", jail, "stolen"));
  FENCED(__wasi_path_readlink(jail, "../jail/up", text, 16, &n));
  /* Links are made, but they lead nowhere outside. */
  OK(__wasi_path_symlink("../secret", jail, "mine"));
  FENCED(open_("mine", 0));
  OK(__wasi_path_symlink("../..", jail, "far"));
  FENCED(open_("far/secret", 0));
  OK(__wasi_path_readlink(jail, "up", text, 16, &n));
  CHECK(n == 9);
  /* A directory moved out while it is open: ".." still does not climb past the descriptor. */
  __wasi_fd_t deep;
  OK(__wasi_path_open(jail, 0, "deep", __WASI_OFLAGS_DIRECTORY, rights, ALL_RIGHTS, 0, &deep));
  OK(__wasi_path_rename(jail, "deep", ROOT, "moved"));
  __wasi_fd_t fd;
  FENCED(__wasi_path_open(deep, 0, "../secret", 0, 0, 0, 0, &fd));
  OK(__wasi_path_open(deep, 0, "x", 0, 0, 0, 0, &fd));
  return done();
}
