/* case { "root": { "caf\u00e9": "1", "dir/file": "2" } } */
#include <stdlib.h>
#include "check.h"
/* Names as bytes: UTF-8, too long, not UTF-8, NUL inside, very long paths. */
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_filestat_get")))
int raw_stat(int fd, int flags, const void *path, size_t length, void *out);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_create_directory")))
int raw_mkdir(int fd, const void *path, size_t length);
int main(void) {
  __wasi_filestat_t st;
  char text[8];
  CHECK(slurp("caf\xc3\xa9", text, 8) == 1);
  CHECK(create("\xe2\x82\xac \"quoted\" \\ \t", "x") == 0);
  CHECK(slurp("\xe2\x82\xac \"quoted\" \\ \t", text, 8) == 1);
  char name[300];
  memset(name, 'n', sizeof name);
  name[255] = 0;
  CHECK(create(name, "x") == 0);
  CHECK(slurp(name, text, 8) == 1);
  name[255] = 'n';
  name[256] = 0;
  ERRNO(__wasi_path_create_directory(ROOT, name), __WASI_ERRNO_NAMETOOLONG);
  ERRNO(__wasi_path_filestat_get(ROOT, 0, name, &st), __WASI_ERRNO_NAMETOOLONG);
  size_t length = 1 << 20;
  char *path = malloc(length + 1);
  for (size_t i = 0; i < length; i += 2) memcpy(path + i, "./", 2);
  path[length] = 0;
  ERRNO(__wasi_path_filestat_get(ROOT, 0, path, &st), __WASI_ERRNO_NAMETOOLONG);
  path[4000] = 0;
  OK(__wasi_path_filestat_get(ROOT, 0, path, &st));
  EITHER(raw_stat(ROOT, 0, "dir\0/file", 9, &st), __WASI_ERRNO_ILSEQ, __WASI_ERRNO_INVAL);
  EITHER(raw_mkdir(ROOT, "bad\xff\xfe", 5), __WASI_ERRNO_ILSEQ, __WASI_ERRNO_SUCCESS);
  ERRNO(raw_stat(ROOT, 0, BAD, 16, &st), __WASI_ERRNO_FAULT);
  ERRNO(raw_stat(ROOT, 0, "dir", 0xfffffff0, &st), __WASI_ERRNO_FAULT);
  ERRNO(raw_stat(ROOT, 0, "dir", 3, BAD), __WASI_ERRNO_FAULT);
  return done();
}
