/* case { "trap": true } */
#include <stdlib.h>
int main(void) { abort(); }
