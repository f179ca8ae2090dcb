/* case { "root": { "f": "0123456789" }, "stdout": "unstable" } */
#include "check.h"
/* wasi_unstable: other whence numbers, a 56-byte filestat, a 56-byte subscription. */
#define UNSTABLE(name) __attribute__((import_module("wasi_unstable"), import_name(name)))
UNSTABLE("fd_seek") int seek0(int fd, int64_t by, int whence, uint64_t *at);
UNSTABLE("fd_filestat_get") int fstat0(int fd, void *out);
UNSTABLE("path_filestat_get") int stat0(int fd, int flags, const char *path, size_t length, void *out);
UNSTABLE("path_open") int open0(int fd, int dirflags, const char *path, size_t length, int oflags, uint64_t base, uint64_t inheriting, int fdflags, int *out);
UNSTABLE("fd_read") int read0(int fd, const __wasi_iovec_t *iovs, size_t count, size_t *n);
UNSTABLE("fd_write") int write0(int fd, const __wasi_ciovec_t *iovs, size_t count, size_t *n);
UNSTABLE("fd_close") int close0(int fd);
UNSTABLE("clock_time_get") int time0(int id, uint64_t precision, uint64_t *out);
UNSTABLE("poll_oneoff") int poll0(const void *in, void *out, size_t count, size_t *n);
int main(void) {
  int fd;
  uint64_t at = 0;
  uint8_t stat[64];
  OK(open0(ROOT, 0, "f", 1, 0, FILE_RIGHTS, 0, 0, &fd));
  OK(seek0(fd, 4, 2, &at));
  CHECK(at == 4);
  OK(seek0(fd, 2, 0, &at));
  CHECK(at == 6);
  OK(seek0(fd, -1, 1, &at));
  CHECK(at == 9);
  ERRNO(seek0(fd, 0, 3, &at), __WASI_ERRNO_INVAL);
  char c = 0;
  __wasi_iovec_t iov = {(uint8_t *)&c, 1};
  size_t n = 0;
  OK(read0(fd, &iov, 1, &n));
  CHECK(n == 1 && c == '9');
  for (int by = 0; by < 2; by++) {
    memset(stat, 0xee, sizeof stat);
    OK(by ? stat0(ROOT, 0, "f", 1, stat) : fstat0(fd, stat));
    uint32_t nlink;
    uint64_t size, mtim;
    memcpy(&nlink, stat + 20, 4);
    memcpy(&size, stat + 24, 8);
    memcpy(&mtim, stat + 40, 8);
    CHECK(stat[16] == __WASI_FILETYPE_REGULAR_FILE && nlink == 1 && size == 10 && mtim > 0);
    for (int i = 56; i < 64; i++) CHECK(stat[i] == 0xee);
  }
  OK(close0(fd));
  struct {
    uint64_t userdata;
    uint8_t tag;
    uint64_t identifier;
    uint32_t id;
    uint64_t timeout, precision;
    uint16_t flags;
  } subs[2] = {{5, 0, 77, 1, 10000000, 0, 0}, {6, 0, 78, 1, 60000000000ull, 0, 0}};
  _Static_assert(sizeof subs[0] == 56, "snapshot 0 subscription");
  __wasi_event_t events[2];
  uint64_t before, after;
  OK(time0(1, 0, &before));
  OK(poll0(subs, events, 2, &n));
  OK(time0(1, 0, &after));
  CHECK(n == 1 && events[0].userdata == 5 && events[0].type == 0 && after - before >= 9000000);
  __wasi_ciovec_t out = {(const uint8_t *)"unstable", 8};
  OK(write0(1, &out, 1, &n));
  return done();
}
