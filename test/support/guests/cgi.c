/** A CGI program: says what it was asked, and in X-Calls how often a file of its was written to. A query of `!` traps. */
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  char body[65536];
  size_t length = fread(body, 1, sizeof body, stdin);
  FILE *count = fopen("/count", "a+");
  fputc('x', count);
  long calls = ftell(count);
  fclose(count);
  if (getenv("QUERY_STRING")[0] == '!') abort();
  printf("Status: 201 Created\r\nContent-Type: text/x\r\nX-Calls: %ld\r\n\r\n", calls);
  printf("%s %s?%s from %s, %s says: ", getenv("REQUEST_METHOD"), getenv("PATH_INFO"), getenv("QUERY_STRING"), getenv("HTTP_X_FROM"), getenv("GREETING"));
  fwrite(body, 1, length, stdout);
  fprintf(stderr, "noted\n");
}
