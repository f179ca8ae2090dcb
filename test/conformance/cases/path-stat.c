/* case { "root": { "file": "123456", "dir/": null, "soft": { "link": "file" } } } */
#include "check.h"
#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW
int main(void) {
  __wasi_filestat_t st, soft;
  OK(__wasi_path_filestat_get(ROOT, 0, "file", &st));
  CHECK(st.filetype == __WASI_FILETYPE_REGULAR_FILE && st.size == 6 && st.nlink == 1 && st.mtim > 0);
  OK(__wasi_path_filestat_get(ROOT, 0, "dir", &st));
  CHECK(st.filetype == __WASI_FILETYPE_DIRECTORY);
  OK(__wasi_path_filestat_get(ROOT, 0, ".", &st));
  CHECK(st.filetype == __WASI_FILETYPE_DIRECTORY);
  OK(__wasi_path_filestat_get(ROOT, 0, "soft", &soft));
  CHECK(soft.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && soft.size == 4);
  OK(__wasi_path_filestat_get(ROOT, FOLLOW, "soft", &st));
  CHECK(st.filetype == __WASI_FILETYPE_REGULAR_FILE && st.ino != soft.ino);
  ERRNO(__wasi_path_filestat_get(ROOT, FOLLOW, "soft/", &st), __WASI_ERRNO_NOTDIR);
  ERRNO(__wasi_path_filestat_get(ROOT, 0, "none", &st), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_filestat_get(ROOT, 0, "file/", &st), __WASI_ERRNO_NOTDIR);
  ERRNO(__wasi_path_filestat_get(ROOT, 0, "", &st), __WASI_ERRNO_NOENT);
  ERRNO(__wasi_path_filestat_get(ROOT, 2, "file", &st), __WASI_ERRNO_INVAL);

  OK(__wasi_path_filestat_set_times(ROOT, FOLLOW, "soft", 1000, 2000, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
  OK(__wasi_path_filestat_get(ROOT, 0, "file", &st));
  CHECK(st.atim == 1000 && st.mtim == 2000);
  OK(__wasi_path_filestat_set_times(ROOT, 0, "soft", 3000, 4000, __WASI_FSTFLAGS_MTIM));
  OK(__wasi_path_filestat_get(ROOT, 0, "soft", &st));
  CHECK(st.mtim == 4000 && st.atim == soft.atim);
  OK(__wasi_path_filestat_get(ROOT, 0, "file", &st));
  CHECK(st.mtim == 2000);
  /* The whole u64 of nanoseconds survives. */
  OK(__wasi_path_filestat_set_times(ROOT, 0, "dir", 1, 4102444800123456789ull, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_ATIM));
  OK(__wasi_path_filestat_get(ROOT, 0, "dir", &st));
  CHECK(st.mtim == 4102444800123456789ull && st.atim == 1);
  OK(__wasi_path_filestat_set_times(ROOT, 0, "dir", 7, 7, __WASI_FSTFLAGS_ATIM_NOW));
  OK(__wasi_path_filestat_get(ROOT, 0, "dir", &st));
  CHECK(st.mtim == 4102444800123456789ull && st.atim > 1577836800000000000ull);
  ERRNO(__wasi_path_filestat_set_times(ROOT, 0, "file", 1, 1, 3), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_path_filestat_set_times(ROOT, 0, "file", 1, 1, 12), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_path_filestat_set_times(ROOT, 0, "file", 1, 1, 0x10), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_path_filestat_set_times(ROOT, 0, "none", 1, 1, 4), __WASI_ERRNO_NOENT);
  return done();
}
