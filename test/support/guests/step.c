/* One command of a build for the tests of RUN: operations one after the other, `step mkdir /a , write /a/b text`. A failing
   one prints `<operation>: <error>` to standard error and ends with 1. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

__attribute__((import_module("wctr_posix_v1"), import_name("proc_spawn"))) int proc_spawn(
    const char *path, unsigned path_len, const char *args, unsigned args_len, const char *env, unsigned env_len,
    const char *cwd, unsigned cwd_len, const unsigned *fds, unsigned fds_count, unsigned *pid);

static char buffer[65536];

static int is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static int put(const char *path, const char *text, int flags) {
  int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, strlen(text));
  return close(fd) < 0 || written < 0 ? -1 : 0;
}

static int cat(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  ssize_t got;
  while ((got = read(fd, buffer, sizeof buffer)) > 0) fwrite(buffer, 1, (size_t)got, stdout);
  close(fd);
  return got < 0 ? -1 : 0;
}

static int names(const char *path) {
  DIR *dir = opendir(path);
  if (dir == NULL) return -1;
  struct dirent *entry;
  while ((entry = readdir(dir)) != NULL) {
    if (is(entry->d_name, ".") || is(entry->d_name, "..")) continue;
    printf("%s\n", entry->d_name);
  }
  return closedir(dir);
}

/* Writes until it is told not to; how much there was room for goes to standard output. */
static int fill(const char *path) {
  memset(buffer, 'x', sizeof buffer);
  int fd = open(path, O_WRONLY | O_CREAT, 0644);
  if (fd < 0) return -1;
  long long total = 0;
  ssize_t got;
  while ((got = write(fd, buffer, sizeof buffer)) > 0) total += got;
  int failure = errno;
  printf("%lld\n", total);
  fflush(stdout);
  errno = failure;
  return -1;
}

static int flood(long long bytes) {
  memset(buffer, 'y', sizeof buffer);
  for (long long done = 0; done < bytes; done += sizeof buffer) fwrite(buffer, 1, sizeof buffer, stdout);
  return 0;
}

static int many(const char *directory, int count) {
  for (int i = 0; i < count; i++) {
    snprintf(buffer, sizeof buffer, "%s/%d", directory, i);
    if (put(buffer, "", 0) < 0) return -1;
  }
  return 0;
}

/* Another one of this program, with the operation given; nobody waits for it. */
static int start(const char *operation) {
  const unsigned fds[3] = {0, 1, 2};
  unsigned pid;
  int length = snprintf(buffer, sizeof buffer, "step%c%s", 0, operation) + 1;
  errno = proc_spawn("/bin/step", 9, buffer, (unsigned)length, "", 0, "/", 1, fds, 3, &pid);
  return errno == 0 ? 0 : -1;
}

static int bomb(void) {
  for (long long count = 0;; count++) {
    if (start("bomb") < 0 && count == 0) printf("%s\n", strerror(errno)), fflush(stdout);
  }
}

static int now(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_REALTIME, &time) < 0) return -1;
  return printf("%lld\n", (long long)time.tv_sec) < 0 ? -1 : 0;
}

static int dice(void) {
  unsigned char bytes[8];
  if (getentropy(bytes, sizeof bytes) < 0) return -1;
  for (int i = 0; i < 8; i++) printf("%02x", bytes[i]);
  printf("\n");
  return 0;
}

static int hold(long long bytes) {
  volatile char *memory = malloc((size_t)bytes);
  if (memory == NULL) return -1;
  for (long long i = 0; i < bytes; i += 4096) memory[i] = 1;
  return 0;
}

static int step(int count, char **args) {
  const char *what = args[0];
  const char *a = count > 1 ? args[1] : "";
  const char *b = count > 2 ? args[2] : "";
  if (is(what, "write")) return put(a, b, O_TRUNC);
  if (is(what, "append")) return put(a, b, O_APPEND);
  if (is(what, "cat")) return cat(a);
  if (is(what, "ls")) return names(a);
  if (is(what, "mkdir")) return mkdir(a, 0755);
  if (is(what, "rmdir")) return rmdir(a);
  if (is(what, "rm")) return unlink(a);
  if (is(what, "mv")) return rename(a, b);
  if (is(what, "ln")) return link(a, b);
  if (is(what, "symlink")) return symlink(a, b);
  if (is(what, "echo")) return printf("%s\n", a) < 0 ? -1 : 0;
  if (is(what, "err")) return fprintf(stderr, "%s\n", a) < 0 ? -1 : 0;
  if (is(what, "exit")) exit(atoi(a));
  if (is(what, "time")) return now();
  if (is(what, "dice")) return dice();
  if (is(what, "fill")) return fill(a);
  if (is(what, "flood")) return flood(atoll(a));
  if (is(what, "many")) return many(a, atoi(b));
  if (is(what, "start")) return start(a);
  if (is(what, "bomb")) return bomb();
  if (is(what, "hold")) return hold(atoll(a));
  if (is(what, "spin")) {
    printf("spinning\n");
    fflush(stdout);
    for (volatile int i = 0;; i++) {}
  }
  if (is(what, "env")) {
    for (char **entry = environ; *entry != NULL; entry++) printf("%s\n", *entry);
    return 0;
  }
  if (is(what, "cwd")) return printf("%s\n", getcwd(buffer, sizeof buffer)) < 0 ? -1 : 0;
  errno = ENOSYS;
  return -1;
}

int main(int argc, char **argv) {
  for (int at = 1; at < argc;) {
    int end = at;
    while (end < argc && !is(argv[end], ",")) end++;
    if (step(end - at, argv + at) < 0) {
      fflush(stdout);
      fprintf(stderr, "%s: %s\n", argv[at], strerror(errno));
      return 1;
    }
    at = end + 1;
  }
  return 0;
}
