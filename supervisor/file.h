/* Small files of the state directory, read and replaced as a whole. */
#ifndef BATON_FILE_H
#define BATON_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Larger files are refused by file_read() with -EFBIG. */
enum { FILE_BYTES_MAX = 16 << 20 };

/* Read the regular file `name` of `directory` (a descriptor). *bytes is malloc'd, with a NUL behind it. 0 or
 * -errno. */
int file_read(int directory, const char *name, char **bytes, size_t *length);

/* Write NAME.new, rename it to `name` (mode 0640): readers find the old file or the new one, and so does the
 * next process when this one is killed at any instant. `sync` (it waits for the disk): also when the machine
 * stops; without it the file may be older then, or empty. 0 or -errno (the old file stays, NAME.new does
 * not). */
int file_replace(int directory, const char *name, const char *bytes, size_t length, bool sync);

#endif
