/* case { "root": { "etc/conf": "real", "usr/lib/x": "lib", "lib": { "link": "/usr/lib" }, "usr/conf": { "link": "/etc/conf" }, "usr/lib/climb": { "link": "../../../../../etc/conf" } } } */
#include "check.h"
/* From the container's own root, absolute links of an image and ".." at the root mean what they mean to a chroot. */
int main(void) {
  char text[16];
  CHECK(slurp("lib/x", text, 16) == 3 && strcmp(text, "lib") == 0);
  CHECK(slurp("usr/conf", text, 16) == 4 && strcmp(text, "real") == 0);
  CHECK(slurp("usr/lib/climb", text, 16) == 4);
  FILE *f = fopen("/usr/conf", "r");
  CHECK(f != NULL && fgets(text, sizeof text, f) != NULL && strcmp(text, "real") == 0);
  return done();
}
