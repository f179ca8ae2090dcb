/* case { "exit": 7 } */
int main(void) { return 7; }
