/* case { "root": { "work/here": "relative", "work/lib/own": "own", "etc/conf": "absolute", "lib/std": "std" }, "cwd": "/work", "env": ["PWD=/work"] } */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "check.h"
/* docker -w: a relative path is the working directory's, an absolute one the container's. */
static int reads(const char *path, const char *expected) {
  char text[32] = "";
  FILE *f = fopen(path, "r");
  if (f == NULL) return 0;
  int ok = fgets(text, sizeof text, f) != NULL && strcmp(text, expected) == 0;
  fclose(f);
  return ok;
}
int main(void) {
  CHECK(strcmp(getenv("PWD"), "/work") == 0);
  CHECK(reads("here", "relative"));
  CHECK(reads("./here", "relative"));
  CHECK(reads("lib/own", "own"));
  CHECK(reads("../etc/conf", "absolute"));
  CHECK(reads("../work/here", "relative"));
  CHECK(reads("/etc/conf", "absolute"));
  CHECK(reads("/work/here", "relative"));
  CHECK(reads("/lib/std", "std"));
  FILE *f = fopen("made", "w");
  CHECK(f != NULL && fputs("new", f) >= 0 && fclose(f) == 0);
  CHECK(reads("/work/made", "new"));
  f = fopen("/etc/made", "w");
  CHECK(f != NULL && fputs("root", f) >= 0 && fclose(f) == 0);
  CHECK(reads("../etc/made", "root"));
  CHECK(mkdir("sub", 0755) == 0);
  struct stat st;
  CHECK(stat("/work/sub", &st) == 0);
  int entries = 0;
  DIR *d = opendir(".");
  CHECK(d != NULL);
  for (struct dirent *e; d && (e = readdir(d));) entries += strcmp(e->d_name, "here") == 0;
  CHECK(entries == 1);
  CHECK(rename("made", "sub/made") == 0 && reads("/work/sub/made", "new"));
  CHECK(remove("sub/made") == 0 && remove("sub") == 0 && remove("/etc/made") == 0);
  return done();
}
