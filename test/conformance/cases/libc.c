/* case { "root": { "data/a.txt": "alpha\nbeta\n", "data/sub/b.txt": "x" }, "stdout": "alpha,beta,2 a.txt sub \n" } */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "check.h"
static int order(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }
int main(void) {
  char line[64];
  FILE *f = fopen("/data/a.txt", "r");
  CHECK(f != NULL);
  while (fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    printf("%s,", line);
  }
  fclose(f);
  struct dirent **names;
  int n = scandir("/data", &names, NULL, order);
  int shown = 0;
  for (int i = 0; i < n; i++) shown += names[i]->d_name[0] != '.';
  printf("%d ", shown);
  for (int i = 0; i < n; i++)
    if (names[i]->d_name[0] != '.') printf("%s ", names[i]->d_name);
  printf("\n");
  CHECK(mkdir("/new", 0755) == 0 && mkdir("/new", 0755) == -1 && errno == EEXIST);
  f = fopen("/new/file", "w+");
  CHECK(f != NULL && fputs("hello", f) >= 0 && fseek(f, 1, SEEK_SET) == 0 && fgetc(f) == 'e' && fclose(f) == 0);
  f = fopen("/new/file", "a");
  CHECK(f != NULL && fputs(" there", f) >= 0 && fclose(f) == 0);
  struct stat st;
  CHECK(stat("/new/file", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 11);
  CHECK(symlink("file", "/new/link") == 0 && lstat("/new/link", &st) == 0 && S_ISLNK(st.st_mode));
  CHECK(readlink("/new/link", line, sizeof line) == 4);
  CHECK(rename("/new/file", "/new/other") == 0 && stat("/new/link", &st) == -1 && errno == ENOENT);
  CHECK(truncate("/new/other", 3) == 0 && stat("/new/other", &st) == 0 && st.st_size == 3);
  CHECK(link("/new/other", "/new/hard") == 0 && stat("/new/hard", &st) == 0 && st.st_nlink == 2);
  CHECK(access("/new/hard", R_OK) == 0 && access("/nope", R_OK) == -1);
  CHECK(unlink("/new/other") == 0 && unlink("/new/hard") == 0 && unlink("/new/link") == 0 && rmdir("/new") == 0);
  CHECK(open("/data", O_WRONLY) == -1 && errno == EISDIR);
  CHECK(!isatty(0) || isatty(0));
  struct timespec ts = {0, 2000000};
  CHECK(nanosleep(&ts, NULL) == 0);
  return done();
}
