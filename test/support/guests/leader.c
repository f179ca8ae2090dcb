/* As a shell does it: handles its signals, starts /p with its arguments, and reads on when that was ended by Ctrl-C. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POSIX(name) __attribute__((import_module("wctr_posix_v1"), import_name(#name)))
typedef uint32_t u32;

POSIX(proc_spawn)
int proc_spawn(const char *path, u32 path_len, const char *args, u32 args_len, const char *env, u32 env_len,
               const char *cwd, u32 cwd_len, const u32 *fds, u32 fds_count, u32 *pid);
POSIX(proc_wait) int proc_wait(u32 pid, u32 flags, u32 *ended, u32 *status);
POSIX(fd_pipe) int fd_pipe(u32 fds[2]);
POSIX(proc_ids) int proc_ids(u32 ids[5]);
POSIX(proc_kill) int proc_kill(u32 pid, u32 signal);

static volatile int last;

__attribute__((export_name("__wasm_signal"))) void on_signal(int signal) { last = signal; }

int main(int argc, char **argv) {
  char args[1024], line[100];
  u32 length = 0, pid, ended, status, fds[3] = {0, 1, 2}, ends[2], ids[5];
  setvbuf(stdout, 0, _IONBF, 0);
  for (int i = 0; i < argc; i++) {
    memcpy(args + length, argv[i], strlen(argv[i]) + 1);
    length += strlen(argv[i]) + 1;
  }
  /* Its own signals come before the call returns; so does SIGPIPE, since it handles them. */
  proc_ids(ids);
  int error = proc_kill(ids[2], 10);
  printf("kill %d signal %d\n", error, last);
  fd_pipe(ends);
  close(ends[0]);
  printf("write %d signal %d\n", (int)write(ends[1], "x", 1), last);
  if (proc_spawn("/p", 2, args, length, 0, 0, "/", 1, fds, 3, &pid)) return 99;
  /* INTR, when it waits already. */
  while ((error = proc_wait(pid, 0, &ended, &status)) != 0)
    if (error != 27) return error;
  printf("child %u signal %d\n", status, last);
  ssize_t got = read(0, line, sizeof line);
  printf("read %d\n", (int)got);
  return 5;
}
