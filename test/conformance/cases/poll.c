/* case { "root": { "f": "data" }, "stdin": "abc" } */
#include "check.h"
static __wasi_subscription_t clock_(uint64_t user, unsigned id, uint64_t timeout, int flags) {
  __wasi_subscription_t s = {0};
  s.userdata = user;
  s.u.tag = __WASI_EVENTTYPE_CLOCK;
  s.u.u.clock.id = id;
  s.u.u.clock.timeout = timeout;
  s.u.u.clock.flags = flags;
  return s;
}
static __wasi_subscription_t fd_(uint64_t user, int tag, int fd) {
  __wasi_subscription_t s = {0};
  s.userdata = user;
  s.u.tag = tag;
  s.u.u.fd_read.file_descriptor = fd;
  return s;
}
static uint64_t now(unsigned id) {
  __wasi_timestamp_t t = 0;
  OK(__wasi_clock_time_get(id, 0, &t));
  return t;
}
#define MS 1000000ull
int main(void) {
  __wasi_subscription_t in[4];
  __wasi_event_t out[4];
  __wasi_size_t n = 0;
  ERRNO(__wasi_poll_oneoff(in, out, 0, &n), __WASI_ERRNO_INVAL);

  /* Sleeping, relative and absolute, both clocks. */
  for (unsigned id = 0; id < 2; id++) {
    in[0] = clock_(0xfedcba9876543210ull, id, 30 * MS, 0);
    uint64_t before = now(1);
    OK(__wasi_poll_oneoff(in, out, 1, &n));
    uint64_t took = now(1) - before;
    CHECK(took >= 29 * MS && took < 20000 * MS);
    CHECK(n == 1 && out[0].userdata == 0xfedcba9876543210ull && out[0].error == 0 && out[0].type == __WASI_EVENTTYPE_CLOCK);
    before = now(1);
    in[0] = clock_(7, id, now(id) + 20 * MS, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
    OK(__wasi_poll_oneoff(in, out, 1, &n));
    took = now(1) - before;
    CHECK(n == 1 && took >= 19 * MS && took < 20000 * MS);
  }
  /* A time that is past is due at once; only due clocks are reported. */
  in[0] = clock_(1, 1, 0, 0);
  in[1] = clock_(2, 1, 60000 * MS, 0);
  in[2] = clock_(3, 0, 1000, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
  uint64_t before = now(1);
  OK(__wasi_poll_oneoff(in, out, 3, &n));
  CHECK(now(1) - before < 20000 * MS);
  CHECK(n == 2 && out[0].userdata + out[1].userdata == 4);

  /* Files and standard streams. */
  __wasi_fd_t fd;
  OK(__wasi_path_open(ROOT, 0, "f", 0, FILE_RIGHTS, 0, 0, &fd));
  in[0] = fd_(10, __WASI_EVENTTYPE_FD_READ, fd);
  in[1] = fd_(11, __WASI_EVENTTYPE_FD_WRITE, fd);
  in[2] = clock_(12, 1, 60000 * MS, 0);
  OK(__wasi_poll_oneoff(in, out, 3, &n));
  CHECK(n == 2 && out[0].error == 0 && out[1].error == 0 && out[0].userdata + out[1].userdata == 21);
  CHECK(out[0].type != out[1].type);
  in[0] = fd_(1, __WASI_EVENTTYPE_FD_WRITE, 1);
  in[1] = fd_(2, __WASI_EVENTTYPE_FD_WRITE, 2);
  in[2] = fd_(4, __WASI_EVENTTYPE_FD_READ, 0);
  OK(__wasi_poll_oneoff(in, out, 3, &n));
  CHECK(n == 3);
  /* What is wrong with one subscription is told in its event. */
  in[0] = fd_(20, __WASI_EVENTTYPE_FD_READ, 99);
  in[1] = clock_(21, 1, 60000 * MS, 0);
  OK(__wasi_poll_oneoff(in, out, 2, &n));
  CHECK(n == 1 && out[0].userdata == 20 && out[0].error == __WASI_ERRNO_BADF);
  in[0] = clock_(22, 9, 0, 0);
  int e = __wasi_poll_oneoff(in, out, 1, &n);
  CHECK(e == __WASI_ERRNO_INVAL || (e == 0 && n == 1 && out[0].error == __WASI_ERRNO_INVAL));
  in[0] = fd_(23, 3, 0);
  ERRNO(__wasi_poll_oneoff(in, out, 1, &n), __WASI_ERRNO_INVAL);
  OK(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_READ, 0));
  in[0] = fd_(24, __WASI_EVENTTYPE_FD_READ, fd);
  OK(__wasi_poll_oneoff(in, out, 1, &n));
  CHECK(n == 1 && out[0].error == __WASI_ERRNO_NOTCAPABLE);

  ERRNO(__wasi_poll_oneoff(BAD, out, 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_poll_oneoff(in, BAD, 1, &n), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_poll_oneoff(in, out, 1, BAD), __WASI_ERRNO_FAULT);
  EITHER(__wasi_poll_oneoff(in, out, 0x10000000, &n), __WASI_ERRNO_INVAL, __WASI_ERRNO_FAULT);
  return done();
}
