/* case { "root": { "dir/a": "1", "dir/b": "22", "dir/sub/c": "", "dir/link": { "link": "a" } } } */
#include "check.h"
static char names[512][64];
static int types[512];
static uint64_t cookies[512], inodes[512];
/* Lists with the given buffer size from a cookie on; entries cut at the buffer's end are asked for again. */
static int list(__wasi_fd_t fd, size_t size, uint64_t cookie) {
  static uint8_t buf[65536];
  int count = 0;
  for (;;) {
    __wasi_size_t used = 0;
    memset(buf, 0xee, sizeof buf);
    int e = __wasi_fd_readdir(fd, buf, size, cookie, &used);
    if (e) return -e;
    CHECK(used <= size && buf[size] == 0xee);
    size_t at = 0;
    while (at + sizeof(__wasi_dirent_t) <= used) {
      __wasi_dirent_t d;
      memcpy(&d, buf + at, sizeof d);
      if (at + sizeof d + d.d_namlen > used) break;
      memcpy(names[count], buf + at + sizeof d, d.d_namlen);
      names[count][d.d_namlen] = 0;
      types[count] = d.d_type;
      cookies[count] = d.d_next;
      inodes[count] = d.d_ino;
      cookie = d.d_next;
      if (++count == 512) return count;
      at += sizeof d + d.d_namlen;
    }
    if (used < size) return count;
    if (at == 0) return -1000;
  }
}
static int find(int count, const char *name) {
  int found = -1;
  for (int i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0) {
      CHECK(found == -1);
      found = i;
    }
  return found;
}
int main(void) {
  __wasi_fd_t fd, sub, file;
  OK(__wasi_path_open(ROOT, 0, "dir", __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_PATH_FILESTAT_GET | __WASI_RIGHTS_PATH_CREATE_FILE | __WASI_RIGHTS_PATH_UNLINK_FILE, ALL_RIGHTS, 0, &fd));
  for (size_t size = 40; size <= 4096; size = size * 3 + 7) {
    int n = list(fd, size, 0);
    CHECK(n == 6);
    CHECK(find(n, ".") >= 0 && find(n, "..") >= 0);
    int a = find(n, "a"), s = find(n, "sub"), l = find(n, "link");
    CHECK(a >= 0 && s >= 0 && l >= 0 && find(n, "b") >= 0);
    if (failures) return 1;
    CHECK(types[a] == __WASI_FILETYPE_REGULAR_FILE && types[s] == __WASI_FILETYPE_DIRECTORY && types[l] == __WASI_FILETYPE_SYMBOLIC_LINK);
    __wasi_filestat_t st;
    OK(__wasi_path_filestat_get(fd, 0, "a", &st));
    CHECK(st.ino == inodes[a]);
    OK(__wasi_fd_filestat_get(fd, &st));
    CHECK(st.ino == inodes[find(n, ".")]);
  }
  /* From each entry's cookie the rest follows, nothing twice. */
  int n = list(fd, 4096, 0);
  uint64_t from[8];
  char order[8][64];
  memcpy(from, cookies, sizeof from);
  memcpy(order, names, sizeof order);
  for (int i = 0; i < n; i++) {
    int rest = list(fd, 4096, from[i]);
    CHECK(rest == n - 1 - i);
    for (int j = 0; j < rest; j++) CHECK(strcmp(names[j], order[i + 1 + j]) == 0);
  }
  /* Removing what was already seen neither hides nor repeats the rest. */
  for (int i = 0; i < 200; i++) {
    char name[16];
    snprintf(name, sizeof name, "n%03d", i);
    OK(__wasi_path_open(fd, 0, name, __WASI_OFLAGS_CREAT, 0, 0, 0, &file));
    OK(__wasi_fd_close(file));
  }
  n = list(fd, 512, 0);
  CHECK(n == 206);
  uint64_t middle = cookies[100];
  static char late[128][64];
  int expect = 0;
  for (int i = 101; i < n; i++) strcpy(late[expect++], names[i]);
  static char early[128][64];
  int gone = 0;
  for (int i = 0; i <= 100; i++)
    if (names[i][0] == 'n') strcpy(early[gone++], names[i]);
  for (int i = 0; i < gone; i++) OK(__wasi_path_unlink_file(fd, early[i]));
  n = list(fd, 512, middle);
  CHECK(n == expect);
  for (int i = 0; i < n && i < expect; i++) CHECK(strcmp(names[i], late[i]) == 0);
  /* Small and odd buffers, foreign cookies. */
  __wasi_size_t used = 99;
  uint8_t tiny[24];
  OK(__wasi_fd_readdir(fd, tiny, 0, 0, &used));
  CHECK(used == 0);
  OK(__wasi_fd_readdir(fd, tiny, 10, 0, &used));
  CHECK(used == 10);
  OK(__wasi_fd_readdir(fd, tiny, 24, UINT64_MAX, &used));
  CHECK(used == 0);
  ERRNO(__wasi_fd_readdir(fd, BAD, 64, 0, &used), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_fd_readdir(fd, tiny, 24, 0, BAD), __WASI_ERRNO_FAULT);
  OK(__wasi_path_open(fd, 0, "a", 0, FILE_RIGHTS, 0, 0, &file));
  EITHER(__wasi_fd_readdir(file, tiny, 24, 0, &used), __WASI_ERRNO_NOTDIR, __WASI_ERRNO_NOTCAPABLE);
  OK(__wasi_fd_close(file));
  OK(__wasi_path_open(fd, 0, "sub", __WASI_OFLAGS_DIRECTORY, 0, 0, 0, &sub));
  ERRNO(__wasi_fd_readdir(sub, tiny, 24, 0, &used), __WASI_ERRNO_NOTCAPABLE);
  OK(__wasi_fd_close(sub));
  ERRNO(__wasi_fd_readdir(1, tiny, 24, 0, &used), __WASI_ERRNO_NOTCAPABLE);
  ERRNO(__wasi_fd_readdir(99, tiny, 24, 0, &used), __WASI_ERRNO_BADF);
  return done();
}
