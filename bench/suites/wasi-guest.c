/*
 * One program for every host of the WASI benchmark, and for Linux itself. As a Wasm reactor it exports run(); natively
 * it takes the same two numbers as arguments and prints the nanoseconds the loop took.
 *
 * which  0 open + close   1 stat   2 read 64 bytes   3 write 64 bytes   4 write 64 MiB   5 read 64 MiB   6 stdout
 *        10, 11: as 0 and 1, on lower/file
 * The directory holds dir/file (64 KiB) and lower/file.
 */
#include <stdint.h>

#define CHUNK 65536
#define TOTAL (64 << 20)
static char buffer[CHUNK];

#ifdef __wasi__
#include <wasi/api.h>
#define ROOT 3
#define RIGHTS (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK)
static int open_(const char *path, int create) {
  __wasi_fd_t fd = -1;
  int flags = create ? __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC : 0;
  return __wasi_path_open(ROOT, 0, path, flags, create ? RIGHTS : __WASI_RIGHTS_FD_READ, 0, 0, &fd) ? -1 : fd;
}
static int open_write(const char *path) {
  __wasi_fd_t fd = -1;
  return __wasi_path_open(ROOT, 0, path, 0, RIGHTS, 0, 0, &fd) ? -1 : fd;
}
static int close_(int fd) { return __wasi_fd_close(fd); }
static int stat_(const char *path) {
  __wasi_filestat_t st;
  return __wasi_path_filestat_get(ROOT, 0, path, &st);
}
static long read_(int fd, char *to, long length) {
  __wasi_iovec_t iov = {(uint8_t *)to, length};
  __wasi_size_t n = 0;
  return __wasi_fd_read(fd, &iov, 1, &n) ? -1 : (long)n;
}
static long write_(int fd, const char *from, long length) {
  __wasi_ciovec_t iov = {(const uint8_t *)from, length};
  __wasi_size_t n = 0;
  return __wasi_fd_write(fd, &iov, 1, &n) ? -1 : (long)n;
}
static int rewind_(int fd) {
  __wasi_filesize_t at;
  return __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at);
}
#define EXPORT __attribute__((export_name("run")))
#else
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
static int root;
static int open_(const char *path, int create) {
  return openat(root, path, create ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0644);
}
static int open_write(const char *path) { return openat(root, path, O_RDWR); }
static int close_(int fd) { return close(fd); }
static int stat_(const char *path) {
  struct stat st;
  return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW);
}
static long read_(int fd, char *to, long length) { return read(fd, to, length); }
static long write_(int fd, const char *from, long length) { return write(fd, from, length); }
static int rewind_(int fd) { return lseek(fd, 0, SEEK_SET) < 0; }
#define EXPORT
#endif

/* 0, or the number of the step that failed. */
EXPORT int run(int which, int count) {
  const char *path = which >= 10 ? "lower/file" : "dir/file";
  int fd;
  switch (which % 10) {
    case 0:
      for (int i = 0; i < count; i++)
        if ((fd = open_(path, 0)) < 0 || close_(fd)) return 1;
      return 0;
    case 1:
      for (int i = 0; i < count; i++)
        if (stat_(path)) return 2;
      return 0;
    case 2:
    case 3:
      if ((fd = open_write(path)) < 0) return 3;
      for (int i = 0; i < count; i++) {
        if (i % (CHUNK / 64) == 0 && rewind_(fd)) return 4;
        if ((which == 2 ? read_(fd, buffer, 64) : write_(fd, buffer, 64)) != 64) return 5;
      }
      return close_(fd);
    case 4:
      for (int i = 0; i < count; i++) {
        if ((fd = open_("dir/big", 1)) < 0) return 6;
        for (int at = 0; at < TOTAL; at += CHUNK)
          if (write_(fd, buffer, CHUNK) != CHUNK) return 7;
        if (close_(fd)) return 8;
      }
      return 0;
    case 5:
      for (int i = 0; i < count; i++) {
        if ((fd = open_("dir/big", 0)) < 0) return 9;
        for (int at = 0; at < TOTAL;) {
          long n = read_(fd, buffer, CHUNK);
          if (n <= 0) return 10;
          at += n;
        }
        if (close_(fd)) return 11;
      }
      return 0;
    case 6:
      for (int i = 0; i < count; i++)
        if (write_(1, buffer, 64) != 64) return 12;
      return 0;
  }
  return 13;
}

#ifndef __wasi__
int main(int argc, char **argv) {
  struct timespec a, b;
  if (argc != 4 || (root = open(argv[1], O_RDONLY | O_DIRECTORY)) < 0) return 1;
  clock_gettime(CLOCK_MONOTONIC, &a);
  int failed = run(atoi(argv[2]), atoi(argv[3]));
  clock_gettime(CLOCK_MONOTONIC, &b);
  if (failed) return 100 + failed;
  printf("%lld\n", (b.tv_sec - a.tv_sec) * 1000000000ll + b.tv_nsec - a.tv_nsec);
  return 0;
}
#endif
