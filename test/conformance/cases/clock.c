/* case {} */
#include "check.h"
int main(void) {
  __wasi_timestamp_t t = 0, u = 0;
  for (unsigned id = 0; id < 4; id++) {
    t = 0;
    OK(__wasi_clock_res_get(id, &t));
    CHECK(t > 0 && t <= 1000000000);
    OK(__wasi_clock_time_get(id, 1000, &t));
    OK(__wasi_clock_time_get(id, 1000, &u));
    CHECK(u >= t || id == __WASI_CLOCKID_REALTIME);
  }
  OK(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 0, &t));
  CHECK(t > 1577836800000000000ull && t < 4102444800000000000ull);
  OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &t));
  for (int i = 0; i < 10000000; i++) __asm__ volatile("" ::: "memory");
  do OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &u)); while (u == t);
  CHECK(u > t && u - t < 60000000000ull);
  ERRNO(__wasi_clock_res_get(4, &t), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_clock_res_get(0xffffffff, &t), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_clock_time_get(4, 0, &t), __WASI_ERRNO_INVAL);
  ERRNO(__wasi_clock_res_get(0, BAD), __WASI_ERRNO_FAULT);
  ERRNO(__wasi_clock_time_get(0, 0, BAD), __WASI_ERRNO_FAULT);
  return done();
}
