/* Environment, clocks, sleeping, big allocations, standard streams. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) exit(2);
  return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  printf("args");
  for (int i = 1; i < argc; i++) printf(" [%s]", argv[i]);
  const char *name = getenv("NAME");
  printf("\nNAME %s, NONE %s\n", name ? name : "(none)", getenv("NONE") ? "set" : "(none)");

  double start = seconds(CLOCK_MONOTONIC);
  struct timespec pause = {0, 50 * 1000 * 1000};
  nanosleep(&pause, NULL);
  double slept = seconds(CLOCK_MONOTONIC) - start;
  printf("slept %s\n", slept >= 0.05 && slept < 5 ? "well" : "badly");
  time_t now = time(NULL);
  struct tm *utc = gmtime(&now);
  printf("year %s\n", utc->tm_year + 1900 >= 2024 ? "now" : "then");

  size_t bytes = 200u << 20;
  uint8_t *big = malloc(bytes);
  if (!big) return 3;
  for (size_t i = 0; i < bytes; i += 65536) big[i] = (uint8_t)(i >> 16);
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes; i += 65536) sum += big[i];
  printf("sum %u\n", sum);
  free(big);

  char line[4096];
  size_t lines = 0, length = 0;
  while (fgets(line, sizeof line, stdin)) {
    lines++;
    length += strlen(line);
  }
  printf("stdin %zu lines, %zu bytes\n", lines, length);
  printf("%.6f %a\n", sqrt(2), 0.1);
  fprintf(stderr, "to stderr, tty %d\n", isatty(2));
  return argc;
}
