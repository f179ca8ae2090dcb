/* The smallest useful program: through libc's start-up to one line. */
#include <unistd.h>
int main(void) { return write(1, "hello\n", 6) == 6 ? 0 : 1; }
