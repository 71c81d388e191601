/* Prints the key list of baton.ini(5) while baton is built; runs on the build machine and is not installed.
 */
#include "supervisor/core/config.h"

int main(void)
{
    config_print_manual(stdout);
    return fflush(stdout) ? 1 : 0;
}
