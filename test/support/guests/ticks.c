/* Counts in a stack of its own, sleeps between, and notes where it is in a file it keeps open. Lines on its standard input
 * set the count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static FILE *notes;

static int tick(int count, int depth) {
  if (depth > 0) {
    int local = depth * 1000;
    int result = tick(count, depth - 1);
    return local == depth * 1000 ? result : -1;
  }
  printf("tick %d\n", count);
  fflush(stdout);
  fprintf(notes, "%d\n", count);
  fflush(notes);
  struct timespec pause = {0, 10 * 1000 * 1000};
  nanosleep(&pause, NULL);
  return count + 1;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 0;
  notes = fopen("/notes", "w");
  fprintf(stderr, "begun\n");
  if (argc > 2 && strcmp(argv[2], "read") == 0) {
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
      count += atoi(line);
      printf("count %d\n", count);
      fflush(stdout);
    }
    return 0;
  }
  if (argc > 2 && strcmp(argv[2], "compute") == 0) {
    for (volatile long i = 0;; i++) {
    }
  }
  for (;;) count = tick(count, 20);
}
