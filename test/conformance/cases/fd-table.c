/* case { "root": { "x": "x" } } */
#include "check.h"
int main(void) {
  __wasi_prestat_t pre;
  char name[8];
  OK(__wasi_fd_prestat_get(ROOT, &pre));
  CHECK(pre.tag == __WASI_PREOPENTYPE_DIR && pre.u.dir.pr_name_len == 1);
  memset(name, 'z', sizeof name);
  OK(__wasi_fd_prestat_dir_name(ROOT, (uint8_t *)name, 1));
  CHECK(name[0] == '/' && name[1] == 'z');
  EITHER(__wasi_fd_prestat_dir_name(ROOT, (uint8_t *)name, 0), __WASI_ERRNO_NAMETOOLONG, __WASI_ERRNO_INVAL);
  ERRNO(__wasi_fd_prestat_dir_name(ROOT, BAD, 1), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_prestat_get(ROOT, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_prestat_get(0, &pre), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_prestat_get(4, &pre), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_prestat_dir_name(4, (uint8_t *)name, 8), __WASI_ERRNO_BADF);

  /* The lowest free number is given. */
  __wasi_fd_t a, b, c;
  OK(__wasi_path_open(ROOT, 0, "x", 0, __WASI_RIGHTS_FD_READ, 0, 0, &a));
  OK(__wasi_path_open(ROOT, 0, "x", 0, FILE_RIGHTS, 0, 0, &b));
  CHECK(a == 4 && b == 5);
  OK(__wasi_fd_close(a));
  OK(__wasi_path_open(ROOT, 0, "x", 0, __WASI_RIGHTS_FD_READ, 0, 0, &c));
  CHECK(c == 4);
  ERRNO(__wasi_fd_prestat_get(c, &pre), __WASI_ERRNO_BADF);
  OK(__wasi_fd_renumber(b, c));
  ERRNO(__wasi_fd_close(b), __WASI_ERRNO_BADF);
  __wasi_fdstat_t st;
  OK(__wasi_fd_fdstat_get(c, &st));
  CHECK(st.fs_rights_base == FILE_RIGHTS);
  OK(__wasi_fd_renumber(c, c));
  OK(__wasi_fd_fdstat_get(c, &st));
  ERRNO(__wasi_fd_renumber(c, 200), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_renumber(200, c), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_renumber(c, -1), __WASI_ERRNO_BADF);
  ERRNO(__wasi_fd_renumber(c, 0x7fffffff), __WASI_ERRNO_BADF);
  OK(__wasi_fd_close(c));
  /* A preopened directory can be closed; its number is then an ordinary one. */
  OK(__wasi_path_open(ROOT, 0, ".", __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_PATH_OPEN, ALL_RIGHTS, 0, &a));
  OK(__wasi_fd_close(ROOT));
  ERRNO(__wasi_fd_prestat_get(ROOT, &pre), __WASI_ERRNO_BADF);
  ERRNO(__wasi_path_open(ROOT, 0, "x", 0, 0, 0, 0, &b), __WASI_ERRNO_BADF);
  OK(__wasi_path_open(a, 0, "x", 0, 0, 0, 0, &b));
  CHECK(b == ROOT);
  return done();
}
