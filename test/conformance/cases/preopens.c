/* case { "root": { "a/x": "A", "b/y": "B" }, "preopens": [["/data", "/a"], ["other", "/b"]] } */
#include <errno.h>
#include "check.h"
/* Named preopened directories: each is a fence of its own. */
static int reads(const char *path) {
  FILE *f = fopen(path, "r");
  if (f) fclose(f);
  return f != NULL;
}
int main(void) {
  CHECK(reads("/data/x") && reads("other/y"));
  CHECK(!reads("/a/x") && !reads("/b/y") && !reads("/data/../b/y") && !reads("/data/y") && !reads("other/../a/x"));
  __wasi_fd_t fd;
  EITHER(__wasi_path_open(3, 0, "../b/y", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE, __WASI_ERRNO_PERM);
  EITHER(__wasi_path_open(4, 0, "..", 0, 0, 0, 0, &fd), __WASI_ERRNO_NOTCAPABLE, __WASI_ERRNO_PERM);
  return done();
}
