/* case {} */
#include "check.h"
int main(void) {
  for (int i = 0; i < 1000; i++) OK(__wasi_sched_yield());
  return done();
}
