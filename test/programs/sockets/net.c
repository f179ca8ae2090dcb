/*
 * net COMMAND ...: a program for tests of networks.
 *   get HOST PORT [PATH]       prints the body of an HTTP answer
 *   resolve NAME [4|6]         prints the addresses of a name
 *   serve PORT [any6]          HTTP, all connections at once by poll; prints "listening" and who came
 *   once                       HTTP, one connection on the listening socket it was given (descriptor 3)
 *   source PORT BYTES          sends so many bytes to each who connects, one after the other
 *   sink PORT                  reads what one connection sends and prints how much
 *   udp-echo PORT COUNT        sends COUNT datagrams back
 *   udp-send HOST PORT COUNT SIZE   sends, and counts what comes back within a second
 *   hoard MIB                  holds so much memory, prints how much it got, waits for the end of its input
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wasmedge.h"

static void must(const char *what, int result) {
  if (result == 0) return;
  printf("%s: %s\n", what, strerror(result));
  exit(1);
}

static void show(struct we_address *address) {
  uint8_t *at = address->bytes + 2;
  if (we_family(address) == WE_INET4) {
    printf("%d.%d.%d.%d", at[0], at[1], at[2], at[3]);
    return;
  }
  for (int i = 0; i < 16; i += 2) printf(i == 0 ? "%x" : ":%x", at[i] << 8 | at[i + 1]);
}

static void write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t done = write(fd, bytes, length);
    if (done <= 0) {
      printf("write: %s\n", strerror(errno));
      exit(1);
    }
    bytes += done;
    length -= done;
  }
}

static int listening(int port, int family) {
  struct we_any any;
  int fd;
  must("open", we_open(family, WE_STREAM, &fd));
  must("bind", we_bind(fd, we_any(&any, family), port));
  must("listen", we_listen(fd, 128));
  printf("listening\n");
  fflush(stdout);
  return fd;
}

static int connected(const char *host, int port) {
  struct we_any found[8];
  int count = we_resolve(host, 0, found, 8);
  must("resolve", count < 0 ? -count : 0);
  int fd, result = EHOSTUNREACH;
  for (int i = 0; i < count; i++) {
    must("open", we_open(we_family(&found[i].address), WE_STREAM, &fd));
    result = we_connect(fd, &found[i].address, port);
    if (result == 0) return fd;
    close(fd);
  }
  must("connect", result);
  return -1;
}

static int get(const char *host, int port, const char *path) {
  int fd = connected(host, port);
  static char text[65536];
  int length = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host);
  write_all(fd, text, length);
  size_t have = 0;
  ssize_t got;
  while (have < sizeof text - 1 && (got = read(fd, text + have, sizeof text - 1 - have)) > 0) have += got;
  text[have] = 0;
  char *body = strstr(text, "\r\n\r\n");
  fputs(body == 0 ? text : body + 4, stdout);
  return 0;
}

static int resolve(const char *name, int family) {
  struct we_any found[8];
  int count = we_resolve(name, family, found, 8);
  must("resolve", count < 0 ? -count : 0);
  for (int i = 0; i < count; i++) {
    show(&found[i].address);
    printf("\n");
  }
  return 0;
}

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

/* True while the connection is to be kept. */
static int answer(int fd) {
  static char request[65536];
  ssize_t got = read(fd, request, sizeof request - 1);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  request[got] = 0;
  if (strncmp(request, "GET /quit", 9) == 0) exit(0);
  for (char *at = request; (at = strstr(at, "\r\n\r\n")) != 0; at += 4) write_all(fd, ANSWER, sizeof ANSWER - 1);
  return strstr(request, "HTTP/1.0") == 0;
}

enum { MOST = 4096 };

static int serve(int port, int family) {
  static struct pollfd fds[MOST];
  fds[0].fd = listening(port, family);
  fds[0].events = POLLIN;
  int count = 1;
  for (;;) {
    if (poll(fds, count, -1) < 0) must("poll", errno);
    for (int i = count - 1; i > 0; i--) {
      if (fds[i].revents == 0 || answer(fds[i].fd)) continue;
      close(fds[i].fd);
      fds[i] = fds[--count];
    }
    if (fds[0].revents != 0 && count < MOST) {
      int result = we_accept(fds[0].fd, 0, &fds[count].fd);
      if (result != 0) continue;
      fds[count].events = POLLIN;
      fds[count].revents = 0;
      count++;
    }
  }
}

static int once(void) {
  int fd;
  must("accept", we_accept(3, 0, &fd));
  answer(fd);
  return 0;
}

static int source(int port, long bytes) {
  static char piece[65536];
  int listener = listening(port, WE_INET4);
  for (int fd; we_accept(listener, 0, &fd) == 0; close(fd)) {
    for (long left = bytes; left > 0;) {
      ssize_t done = write(fd, piece, left < (long)sizeof piece ? left : (long)sizeof piece);
      if (done <= 0) {
        printf("write: %s\n", strerror(errno));
        fflush(stdout);
        break;
      }
      left -= done;
    }
  }
  return 0;
}

static int sink(int port) {
  static char piece[65536];
  int fd, listener = listening(port, WE_INET4);
  must("accept", we_accept(listener, 0, &fd));
  long total = 0;
  ssize_t got;
  while ((got = read(fd, piece, sizeof piece)) > 0) total += got;
  printf("%ld %s\n", total, got < 0 ? strerror(errno) : "end");
  return 0;
}

static int udp_echo(int port, int count) {
  static char piece[65536];
  struct we_any any, from;
  int fd;
  must("open", we_open(WE_INET4, WE_DGRAM, &fd));
  must("bind", we_bind(fd, we_any(&any, WE_INET4), port));
  printf("listening\n");
  fflush(stdout);
  for (int i = 0; i < count; i++) {
    struct we_vector vector = {piece, sizeof piece};
    int peer, size, flags, sent;
    must("recv", we_recv_from(fd, &vector, 1, we_any(&from, WE_INET4), 0, &peer, &size, &flags));
    vector.length = size;
    must("send", we_send_to(fd, &vector, 1, &from.address, peer, 0, &sent));
  }
  return 0;
}

static int udp_send(const char *host, int port, int count, int size) {
  static char piece[131072];
  struct we_any found[8], from;
  int addresses = we_resolve(host, WE_INET4, found, 8);
  must("resolve", addresses < 0 ? -addresses : 0);
  int fd, back = 0;
  must("open", we_open(WE_INET4, WE_DGRAM, &fd));
  for (int i = 0; i < count; i++) {
    struct we_vector vector = {piece, size};
    int sent;
    must("send", we_send_to(fd, &vector, 1, &found[0].address, port, 0, &sent));
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    while (poll(&polled, 1, i == count - 1 ? 1000 : 0) > 0) {
      int peer, got, flags;
      struct we_vector target = {piece, sizeof piece};
      must("recv", we_recv_from(fd, &target, 1, we_any(&from, WE_INET4), 0, &peer, &got, &flags));
      if (got == size) back++;
      if (back == count) break;
    }
  }
  printf("%d of %d\n", back, count);
  return 0;
}

static int hoard(int mib) {
  int got = 0;
  for (char *block; got < mib && (block = malloc(1 << 20)) != 0; got++) memset(block, 1, 1 << 20);
  printf("got %d\n", got);
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "";
  long first = argc > 2 ? atol(argv[2]) : 0;
  int family = argc > 3 && strcmp(argv[3], "6") == 0 ? WE_INET6 : argc > 3 && strcmp(argv[3], "4") == 0 ? WE_INET4 : 0;
  if (strcmp(command, "get") == 0 && argc > 3) return get(argv[2], atoi(argv[3]), argc > 4 ? argv[4] : "/");
  if (strcmp(command, "resolve") == 0 && argc > 2) return resolve(argv[2], family);
  if (strcmp(command, "serve") == 0) return serve(first, argc > 3 ? WE_INET6 : WE_INET4);
  if (strcmp(command, "once") == 0) return once();
  if (strcmp(command, "source") == 0 && argc > 3) return source(first, atol(argv[3]));
  if (strcmp(command, "sink") == 0) return sink(first);
  if (strcmp(command, "udp-echo") == 0 && argc > 3) return udp_echo(first, atoi(argv[3]));
  if (strcmp(command, "udp-send") == 0 && argc > 5) return udp_send(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
  if (strcmp(command, "hoard") == 0) return hoard(first);
  printf("usage: net COMMAND ...\n");
  return 2;
}
