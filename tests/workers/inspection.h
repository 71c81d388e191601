/* What this process was started with, one fact per line:
 *
 *     fd 3 socket:[81213]        every open descriptor
 *     flags 3 1                  F_GETFD of it
 *     arg 0 inspect
 *     env LISTEN_PID=812
 *     pid 812, sid, pgid, cwd, umask, uid and gid (real, effective, saved), groups, nofile, pdeathsig, comm
 *     SigBlk:, SigIgn:           lines of /proc/self/status
 */
#ifndef BATON_TESTS_INSPECTION_H
#define BATON_TESTS_INSPECTION_H

#include <stdio.h>

void inspection_write(FILE *out, int argc, char *const argv[]);

#endif
