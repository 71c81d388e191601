/* What a generation was started from, so that the very same thing can be started again.
 *
 * Path, working directory, argv and environment file are resolved anew when a release is made (a
 * `current -> releases/42` symlink is followed at that moment). Respawn, scale and rollback use the
 * record: a binary runs from its open descriptor even when the file was replaced or deleted; a script and
 * every argument that names a file (release_file_belongs) must still be what it was, or the start is refused
 * and the change named. */
#ifndef BATON_RELEASE_H
#define BATON_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/core/config.h"
#include "supervisor/process/release_file.h"

struct release {
    int executable;    /* owned descriptor (O_PATH | O_CLOEXEC); -1: a script, started by path */
    bool script;       /* begins with "#!" */
    char *interpreter; /* of a script: the path after "#!", or NULL */
    char *build_id;    /* hex, NULL when the ELF file has none */
    char *directory;   /* resolved working directory */
    uint64_t directory_device, directory_inode;
    char **argv;        /* as configured (argv[0] too); release_argv() is what to start with */
    char **environment; /* KEY=VALUE of `environment =` and the environment file, which wins as in systemd;
                           NULL-terminated; never logged or persisted */
    uint64_t environment_digest; /* over names and values, whatever the order */
    struct release_file *files;  /* [0] is the executable */
    size_t file_count;
};

/* Resolve what `service` names now. 0, or -errno with one sentence in *reason (malloc'd): command not found
 * (with the PATH that was searched), not executable, a directory, bad interpreter, wrong architecture (ELF
 * header of another machine), environment file unreadable or malformed (FILE:LINE), directory missing. */
int release_resolve(const struct config_service *service, const char *baton_directory, struct release **out,
                    char **reason);

/* Whether it can be started again exactly: 0, or -ESTALE with a sentence naming what changed or is gone
 * ("/srv/app.py was modified since (size 812 -> 915)"). A binary held by descriptor may have been replaced or
 * deleted, but not overwritten in place. The environment file was read into memory, so its change does not
 * matter.
 */
int release_verify(const struct release *release, char **reason);

/* The arguments to start with now: as configured, but an argument whose symlinks have moved on is replaced by
 * the path that it led to. NULL-terminated; the array is malloc'd, the strings belong to the release. NULL:
 * no memory. */
char **release_argv(const struct release *release);

/* Short text for people, of what is most telling (the first argument that is a file, else the executable):
 * "v42 (build 9f3c2a10)" with the name behind releases/ if there is one, "app.py (2026-11-23 14:02)".
 * malloc'd; NULL: no memory. */
char *release_label(const struct release *release);

/* Whether a start now would be the same (reload asks): executable, arguments, files, directory and
 * environment. */
bool release_equal(const struct release *a, const struct release *b);

void release_free(struct release *release); /* NULL is fine */

#endif
