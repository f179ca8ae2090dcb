/* Programs that start programs: many in one, by its first argument. Module wctr_posix_v1, src/spec/wctr-posix.ts. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POSIX(name) __attribute__((import_module("wctr_posix_v1"), import_name(#name)))
typedef uint32_t u32;

POSIX(proc_spawn)
int proc_spawn(const char *path, u32 path_len, const char *args, u32 args_len, const char *env, u32 env_len,
               const char *cwd, u32 cwd_len, const u32 *fds, u32 fds_count, u32 *pid);
POSIX(proc_wait) int proc_wait(u32 pid, u32 flags, u32 *ended, u32 *status);
POSIX(proc_kill) int proc_kill(u32 pid, u32 signal);
POSIX(fd_pipe) int fd_pipe(u32 fds[2]);
POSIX(fd_dup) int fd_dup(u32 fd, u32 *copy);
POSIX(proc_ids) int proc_ids(u32 ids[5]);
POSIX(proc_umask) int proc_umask(u32 mask, u32 *before);
POSIX(path_chmod) int path_chmod(u32 fd, u32 flags, const char *path, u32 length, u32 mode);
POSIX(path_chown) int path_chown(u32 fd, u32 flags, const char *path, u32 length, u32 uid, u32 gid);
POSIX(path_stat) int path_stat(u32 fd, u32 flags, const char *path, u32 length, u32 stat[18]);

#define CLOSED 0xffffffffu
#define SELF "/p"

/* Starts SELF, or what the first argument names with a slash, with these arguments. An errno. */
static int spawn_with(char **argv, int argc, u32 in, u32 out, u32 err, u32 *pid) {
  char args[4096];
  u32 length = 0;
  const char *path = SELF;
  if (argc > 0 && argv[0][0] == '/') path = argv[0];
  else {
    memcpy(args, "p", 2);
    length = 2;
  }
  for (int i = 0; i < argc; i++) {
    memcpy(args + length, argv[i], strlen(argv[i]) + 1);
    length += strlen(argv[i]) + 1;
  }
  static const char env[] = "KIND=child\0OTHER=\xff";
  u32 fds[3] = {in, out, err};
  return proc_spawn(path, strlen(path), args, length, env, sizeof env, "/tmp", 4, fds, 3, pid);
}

static int spawn(char **argv, int argc, u32 *pid) { return spawn_with(argv, argc, 0, 1, 2, pid); }

static int fail(const char *what, int error) {
  fprintf(stderr, "%s: errno %d\n", what, error);
  return 99;
}

static int wait_for(u32 pid) {
  u32 ended, status;
  int error = proc_wait(pid, 0, &ended, &status);
  return error ? fail("wait", error) : (int)status;
}

static void pass(ssize_t limit) {
  static char buffer[65536];
  while (limit != 0) {
    ssize_t got = read(0, buffer, limit > 0 && limit < (ssize_t)sizeof buffer ? (size_t)limit : sizeof buffer);
    if (got <= 0) exit(got < 0 ? 1 : 0);
    for (ssize_t done = 0; done < got;) {
      ssize_t put = write(1, buffer + done, got - done);
      if (put < 0) exit(errno == EPIPE ? 77 : 1);
      done += put;
    }
    if (limit > 0) limit -= got;
  }
  exit(0);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "";
  char **rest = argv + 2;
  int count = argc - 2;
  u32 pid = 0;
  int error;
  if (!strcmp(command, "cp")) { /* cp FROM TO */
    FILE *from = fopen(rest[0], "rb"), *to = fopen(rest[1], "wb");
    static char buffer[65536];
    size_t got;
    if (!from || !to) return fail("open", errno);
    while ((got = fread(buffer, 1, sizeof buffer, from)) > 0) fwrite(buffer, 1, got, to);
    return fclose(to) == 0 ? 0 : 1;
  }
  if (!strcmp(command, "true")) return 0;
  if (!strcmp(command, "exit")) return atoi(rest[0]);
  if (!strcmp(command, "abort")) abort();
  if (!strcmp(command, "cat")) pass(-1);
  if (!strcmp(command, "head")) pass(atoi(rest[0]));
  if (!strcmp(command, "echo")) {
    for (int i = 0; i < count; i++) printf("%s%s", i ? " " : "", rest[i]);
    putchar('\n');
    return 0;
  }
  if (!strcmp(command, "yes")) {
    for (;;)
      if (write(1, "y\n", 2) < 0) return errno == EPIPE ? 77 : 1;
  }
  if (!strcmp(command, "fill")) { /* fill BYTES: writes so many */
    static char block[4096];
    for (int left = atoi(rest[0]); left > 0; left -= sizeof block)
      if (write(1, block, left < (int)sizeof block ? left : (int)sizeof block) < 0) return 77;
    return 0;
  }
  if (!strcmp(command, "loop")) {
    write(1, "looping\n", 8);
    for (volatile u32 i = 0;; i++);
  }
  if (!strcmp(command, "sleep")) {
    struct timespec t = {atoi(rest[0]), 0};
    nanosleep(&t, 0);
    return 0;
  }
  if (!strcmp(command, "say-later")) {
    struct timespec t = {0, 200000000};
    nanosleep(&t, 0);
    return write(1, rest[0], strlen(rest[0])) < 0 ? 78 : 0;
  }
  if (!strcmp(command, "who")) {
    u32 ids[5];
    proc_ids(ids);
    char cwd[256] = "";
    FILE *here = fopen("here", "r");
    printf("uid %u gid %u pid %u ppid %u umask %o args %d [%s] KIND=%s here=%s%s\n", ids[0], ids[1], ids[2], ids[3],
           ids[4], argc, argc > 2 ? argv[2] : "", getenv("KIND"), here ? "yes" : "no", cwd);
    return 0;
  }
  if (!strcmp(command, "env")) {
    const char *other = getenv("OTHER");
    return other && !strcmp(other, "\xff") && !strcmp(rest[0], "\xfe") ? 0 : 1;
  }
  if (!strcmp(command, "raw")) { /* bytes that are no UTF-8, as argument and in the environment */
    char *bytes[] = {"env", "\xfe"};
    if ((error = spawn(bytes, 2, &pid))) return fail("spawn", error);
    return wait_for(pid);
  }
  if (!strcmp(command, "run")) {
    u32 before;
    proc_umask(027, &before);
    if ((error = spawn(rest, count, &pid))) return fail("spawn", error);
    return wait_for(pid);
  }
  if (!strcmp(command, "pipeline")) { /* A ... -- B ... : the status of the last */
    int at = 0;
    while (strcmp(rest[at], "--")) at++;
    u32 ends[2], first;
    if ((error = fd_pipe(ends))) return fail("pipe", error);
    if ((error = spawn_with(rest, at, 0, ends[1], 2, &first))) return fail("spawn", error);
    if ((error = spawn_with(rest + at + 1, count - at - 1, ends[0], 1, 2, &pid))) return fail("spawn", error);
    close(ends[0]);
    close(ends[1]);
    int status = wait_for(first), last = wait_for(pid);
    fprintf(stderr, "first %d\n", status);
    return last;
  }
  if (!strcmp(command, "kill")) { /* kill SIGNAL COMMAND...: its status once it has written something */
    u32 ends[2];
    char byte;
    fd_pipe(ends);
    if ((error = spawn_with(rest + 1, count - 1, 0, ends[1], 2, &pid))) return fail("spawn", error);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) return fail("read", errno);
    if ((error = proc_kill(pid, 0))) return fail("ask", error);
    if ((error = proc_kill(pid, atoi(rest[0])))) return fail("kill", error);
    int status = wait_for(pid);
    printf("status %d, then errno %d\n", status, proc_kill(pid, 0));
    return 0;
  }
  if (!strcmp(command, "raise")) {
    u32 ids[5];
    proc_ids(ids);
    proc_kill(ids[2], atoi(rest[0]));
    printf("still here\n");
    return 0;
  }
  if (!strcmp(command, "send")) return proc_kill(atoi(rest[0]), atoi(rest[1])); /* send PID SIGNAL: the errno */
  if (!strcmp(command, "wait-any")) {
    u32 ended, status, sum = 0, seen = 0, started[3];
    for (int i = 0; i < 3; i++) {
      char code[2] = {(char)('1' + i), 0}, *args[] = {"exit", code};
      if ((error = spawn(args, 2, &started[i]))) return fail("spawn", error);
    }
    for (int i = 0; i < 3; i++) {
      if ((error = proc_wait(0, 0, &ended, &status))) return fail("wait", error);
      sum += status;
      for (int j = 0; j < 3; j++) seen |= (started[j] == ended) << j;
    }
    printf("sum %u seen %u then %d\n", sum, seen, proc_wait(0, 0, &ended, &status));
    return 0;
  }
  if (!strcmp(command, "together")) { /* together N COMMAND...: so many at once, the sum of their statuses */
    int n = atoi(rest[0]), sum = 0;
    for (int i = 0; i < n; i++)
      if ((error = spawn(rest + 1, count - 1, &pid))) return fail("spawn", error);
    for (int i = 0; i < n; i++) sum += wait_for(0);
    return sum;
  }
  if (!strcmp(command, "no-hang")) {
    char *args[] = {"cat"};
    u32 ends[2], ended = 9, status = 9;
    fd_pipe(ends);
    if ((error = spawn_with(args, 1, ends[0], 1, 2, &pid))) return fail("spawn", error);
    close(ends[0]);
    if ((error = proc_wait(pid, 1, &ended, &status)) || ended != 0) return fail("early", error);
    close(ends[1]);
    return wait_for(pid);
  }
  if (!strcmp(command, "many")) { /* many N: starts and waits N times, the median in milliseconds */
    int n = atoi(rest[0]);
    double *times = malloc(n * sizeof *times);
    char *args[] = {"true"};
    for (int i = 0; i < n; i++) {
      double begun = now_ms();
      if ((error = spawn(args, 1, &pid))) return fail("spawn", error);
      int status = wait_for(pid);
      if (status) return status;
      times[i] = now_ms() - begun;
    }
    qsort(times, n, sizeof *times, compare);
    printf("p50 %.3f p90 %.3f\n", times[n / 2], times[n * 9 / 10]);
    return 0;
  }
  if (!strcmp(command, "bomb")) { /* every one starts two more, as long as it goes */
    char *args[] = {"bomb"};
    int started = 0;
    while (started < 1000 && spawn(args, 1, &pid) == 0) started++;
    for (int i = 0; i < started; i++) {
      u32 ended, status;
      proc_wait(0, 0, &ended, &status);
    }
    return 0;
  }
  if (!strcmp(command, "hoard")) { /* starts sleepers until it cannot: how many, and why not more */
    char *args[] = {"sleep", "1000"};
    int started = 0;
    while ((error = spawn(args, 2, &pid)) == 0) started++;
    printf("%d errno %d\n", started, error);
    fflush(stdout);
    return wait_for(pid);
  }
  if (!strcmp(command, "zombies")) { /* does not wait for what it starts, as long as it goes */
    char *args[] = {"true"};
    int started = 0;
    while ((error = spawn(args, 1, &pid)) == 0) started++;
    printf("%d errno %d\n", started, error);
    return 0;
  }
  if (!strcmp(command, "orphan")) { /* leaves one behind */
    if ((error = spawn(rest, count, &pid))) return fail("spawn", error);
    return 0;
  }
  if (!strcmp(command, "bad")) {
    static const char name[] = SELF "\0p\0true";
    u32 fds[3] = {0, 1, 2}, wrong[1] = {77}, *nowhere = (u32 *)0xfffffff0, ended, status;
    u32 size = sizeof SELF - 1;
    printf("%d %d %d %d %d %d %d %d %d %d %d %d %d %d %d\n",
           proc_spawn((char *)nowhere, size, 0, 0, 0, 0, "/", 1, fds, 3, &pid),
           proc_spawn(name, size, (char *)nowhere, 5, 0, 0, "/", 1, fds, 3, &pid),
           proc_spawn(name, size, 0, 0, (char *)nowhere, 5, "/", 1, fds, 3, &pid),
           proc_spawn(name, size, 0, 0, 0, 0, (char *)nowhere, 5, fds, 3, &pid),
           proc_spawn(name, size, 0, 0, 0, 0, "/", 1, nowhere, 3, &pid),
           proc_spawn(name, size, 0, 0, 0, 0, "/", 1, fds, 3, nowhere),
           proc_spawn(name, size, 0, 0, 0, 0, "/", 1, fds, 0x40000000, &pid),
           proc_spawn(name, size, 0, 0x7fffffff, 0, 0x7fffffff, "/", 1, fds, 3, &pid),
           proc_spawn(name, size, "x", 1, 0, 0, "/", 1, fds, 3, &pid),
           proc_spawn(name, size, 0, 0, 0, 0, "/", 1, wrong, 1, &pid),
           proc_wait(0, 0, nowhere, &status), proc_wait(0, 2, &ended, &status), fd_pipe(nowhere), proc_kill(0, 9),
           proc_kill(1u << 30, 9));
    printf("%d %d %d %d %d %d\n", proc_spawn("/none", 5, 0, 0, 0, 0, "/", 1, fds, 3, &pid),
           proc_spawn("/etc", 4, 0, 0, 0, 0, "/", 1, fds, 3, &pid),
           proc_spawn("/etc/hosts", 10, 0, 0, 0, 0, "/", 1, fds, 3, &pid),
           proc_spawn(name, size, 0, 0, 0, 0, "/none", 5, fds, 3, &pid),
           proc_spawn(name, size, 0, 0, 0, 0, "/etc/hosts", 10, fds, 3, &pid),
           proc_wait(0, 0, &ended, &status));
    return 0;
  }
  if (!strcmp(command, "no-streams")) { /* a child without standard streams finds its directories */
    static const char args[] = "p\0there\0/etc/hosts";
    u32 fds[3] = {CLOSED, CLOSED, CLOSED};
    if ((error = proc_spawn(SELF, sizeof SELF - 1, args, sizeof args, 0, 0, "/", 1, fds, 3, &pid)))
      return fail("spawn", error);
    return wait_for(pid);
  }
  if (!strcmp(command, "there")) return access(rest[0], R_OK) == 0 ? 0 : 1;
  if (!strcmp(command, "swap")) { /* what a file holds is run, each time */
    FILE *file;
    int first, second;
    char *args[] = {"/tmp/program", "exit", "3"};
    if ((first = spawn(args, 3, &pid)) == 0) first = wait_for(pid);
    file = fopen("/tmp/program", "r+");
    fputs("no module", file);
    fclose(file);
    second = spawn(args, 3, &pid);
    printf("%d %d\n", first, second);
    return 0;
  }
  if (!strcmp(command, "swapper")) /* swapper A B: /tmp/x leads to one or the other, in turn */
    for (u32 i = 0;; i++) {
      unlink("/tmp/y");
      if (symlink(rest[i % 2], "/tmp/y") || rename("/tmp/y", "/tmp/x")) return 1;
    }
  if (!strcmp(command, "swapped")) { /* swapped N B: whatever /tmp/x leads to, SELF stays SELF */
    char *swapper[] = {"swapper", SELF, rest[1]}, *either[] = {"/tmp/x", "true"}, *self[] = {"true"};
    u32 other, differed = 0;
    if ((error = spawn(swapper, 3, &other))) return fail("spawn", error);
    for (int i = 0; i < atoi(rest[0]); i++) {
      path_chmod(3, 1, "p", 1, 0700 + i % 2);
      if ((error = spawn(either, 2, &pid)) == 0) differed += wait_for(pid) != 0;
      if ((error = spawn(self, 1, &pid))) return fail("spawn", error);
      if (wait_for(pid) != 0) return fail("another program ran", i);
    }
    proc_kill(other, 9);
    printf("%s\n", differed ? "both" : "one");
    return wait_for(other) == 137 ? 0 : 1;
  }
  if (!strcmp(command, "chmod")) return path_chmod(3, 1, rest[1], strlen(rest[1]), strtol(rest[0], 0, 8));
  if (!strcmp(command, "chown"))
    return path_chown(3, 1, rest[1], strlen(rest[1]), atoi(rest[0]), CLOSED);
  if (!strcmp(command, "stat")) {
    u32 stat[18];
    if ((error = path_stat(3, 1, rest[0], strlen(rest[0]), stat))) return fail("stat", error);
    printf("%o %u\n", stat[4], stat[6]);
    return 0;
  }
  if (!strcmp(command, "dup")) {
    u32 copy;
    if ((error = fd_dup(1, &copy))) return fail("dup", error);
    close(1);
    return write(copy, "copied\n", 7) == 7 ? 0 : 1;
  }
  fprintf(stderr, "no such command: %s\n", command);
  return 98;
}
