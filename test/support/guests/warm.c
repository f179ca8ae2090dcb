/* Does much before it does little, as programs with an export that initialises them do: Wizer's names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void __wasm_call_ctors(void);

static int sums;
static char *text;
static FILE *data;
static int (*operation)(int);

static int twice(int x) { return 2 * x; }
static int thrice(int x) { return 3 * x; }
static int (*const operations[])(int) = {twice, thrice};

__attribute__((export_name("wizer.initialize"))) void initialize(void) {
  __wasm_call_ctors();
  const char *rounds = getenv("ROUNDS");
  for (int i = 0; i < (rounds == NULL ? 1000 : atoi(rounds)); i++) sums += i % 7;
  text = malloc(200000);
  memset(text, 'x', 199999);
  operation = operations[1];
  data = fopen("/etc/hosts", "r");
  if (data != NULL && fseek(data, 3, SEEK_SET) == 0) fgetc(data);
  fputs("initialised\n", stderr);
}

/* What other programs export to be frozen in vain. */
__attribute__((export_name("loses_file"))) void loses_file(void) {
  initialize();
  fopen("/tmp-file", "w");
  unlink("/tmp-file");
}

__attribute__((export_name("leaves"))) void leaves(void) { exit(3); }

int main(int argc, char **argv) {
  if (operation == NULL) initialize();
  printf("sums %d, text %zu, operation %d, %s, at %d\n", sums, strlen(text), operation(7), argc > 1 ? argv[1] : "-",
         data == NULL ? -1 : fgetc(data));
  return 0;
}
