/* stdio, directories, file positions, permissions and errors, as a C library without mmap does them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(int argc, char **argv) {
  const char *root = argc > 1 ? argv[1] : "/tmp";
  char path[512];
  if (chdir(root) != 0 && (mkdir(root, 0755) != 0 || chdir(root) != 0)) fail("chdir");
  if (mkdir("tree", 0755) != 0) fail("mkdir");
  for (int i = 0; i < 300; i++) {
    snprintf(path, sizeof path, "tree/file-%03d", i);
    FILE *file = fopen(path, "w");
    if (!file) fail("fopen");
    fprintf(file, "line one of %d\nline two\n", i);
    if (fclose(file) != 0) fail("fclose");
  }

  DIR *dir = opendir("tree");
  if (!dir) fail("opendir");
  char *names[400];
  int count = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (entry->d_name[0] != '.') names[count++] = strdup(entry->d_name);
  }
  closedir(dir);
  qsort(names, count, sizeof *names, compare);
  printf("%d entries, %s to %s\n", count, names[0], names[count - 1]);

  FILE *file = fopen("tree/file-007", "r+");
  char line[64];
  if (!file || !fgets(line, sizeof line, file)) fail("fgets");
  printf("%s", line);
  if (fseek(file, -4, SEEK_END) != 0 || fputs("2", file) < 0) fail("fseek");
  rewind(file);
  while (fgets(line, sizeof line, file)) continue;
  printf("%s", line);
  fclose(file);

  int fd = open("sparse", O_RDWR | O_CREAT | O_EXCL, 0600);
  if (fd < 0 || pwrite(fd, "end", 3, 1 << 20) != 3) fail("pwrite");
  struct stat st;
  if (fstat(fd, &st) != 0) fail("fstat");
  char zero = 1;
  if (pread(fd, &zero, 1, 12345) != 1) fail("pread");
  printf("sparse %lld, hole %d\n", (long long)st.st_size, zero);
  if (ftruncate(fd, 10) != 0 || lseek(fd, 0, SEEK_END) != 10) fail("ftruncate");
  close(fd);

  if (rename("tree/file-001", "tree/renamed") != 0 || symlink("renamed", "tree/link") != 0) fail("rename");
  if (link("tree/renamed", "tree/second") != 0 || stat("tree/link", &st) != 0) fail("link");
  printf("links %lu\n", (unsigned long)st.st_nlink);
  ssize_t length = readlink("tree/link", path, sizeof path);
  printf("link %.*s\n", (int)length, path);

  if (open("missing", O_RDONLY) < 0) printf("%s\n", strerror(errno));
  if (open("tree", O_WRONLY) < 0) printf("%s\n", strerror(errno));
  if (rmdir("tree") < 0) printf("%s\n", strerror(errno));
  if (open("tree/file-002/x", O_RDONLY) < 0) printf("%s\n", strerror(errno));
  if (open("sparse", O_RDWR | O_CREAT | O_EXCL, 0600) < 0) printf("%s\n", strerror(errno));
  return 0;
}
