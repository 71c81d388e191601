/* The first line of a script. */
#ifndef BATON_SCRIPT_H
#define BATON_SCRIPT_H

enum { SCRIPT_OTHER = 1 };

/* Read the path behind "#!" (malloc'd in *interpreter). 0; SCRIPT_OTHER: does not begin with "#!"; -ENOEXEC:
 * there is no path, or the line is too long for the kernel; -ENOMEM, or what reading gave. */
int script_read(int fd, char **interpreter);

#endif
