/* An oomexec from before --pin=write, as far as a spawner can see: for the tests of cases.json. */

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *option = argc > 1 ? argv[1] : "";
    if (strcmp(option, "--version") == 0) {
        puts("oomexec 0.1.0");
        return 0;
    }
    fprintf(stderr, "oomexec: %s: the option takes no value; try 'oomexec --help'\n", option);
    return 125;
}
