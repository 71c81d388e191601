#include "supervisor/kept_release.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than execve(2) takes: a memfd that is larger is not ours. */
enum { ENVIRONMENT_BYTES_MAX = 8 << 20 };

static void entry_id(const struct kept_release *kept, char kind, char id[VAULT_ID_BYTES])
{
    snprintf(id, VAULT_ID_BYTES, "r%" PRIu64 ".%c", kept->serial, kind);
}

/* The environment as NUL-terminated strings in a row, sealed. The descriptor, or -errno. */
static int write_environment(char *const *environment)
{
    int fd = memfd_create("baton-environment", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    for (; environment && *environment; environment++) {
        size_t bytes = strlen(*environment) + 1;
        if (write(fd, *environment, bytes) != (ssize_t)bytes) {
            close(fd);
            return -ENOSPC;
        }
    }
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return fd;
}

/* The list that write_environment() wrote; NULL: not such a memfd, or no memory. */
static char **read_environment(int fd)
{
    struct stat status;
    size_t count = 0, used = 0;

    if (fstat(fd, &status) < 0 || status.st_size > ENVIRONMENT_BYTES_MAX)
        return NULL;
    size_t bytes = (size_t)status.st_size;
    char *text = malloc(bytes + 1);
    char **list = calloc(bytes / 2 + 2, sizeof *list);
    if (!text || !list || pread(fd, text, bytes, 0) != (ssize_t)bytes) {
        free(text);
        free(list);
        return NULL;
    }
    text[bytes] = '\0';
    while (used < bytes) {
        list[count] = strdup(text + used);
        if (!list[count])
            break;
        used += strlen(text + used) + 1;
        count++;
    }
    free(text);
    return list;
}

static int store(struct kept_release *kept)
{
    char id[VAULT_ID_BYTES];
    int error = 0;

    if (kept->release->executable >= 0) {
        entry_id(kept, 'x', id);
        error = vault_store(kept->runtime->vault, id, 0, kept->release->executable);
    }
    if (error)
        return error;
    int fd = write_environment(kept->release->environment);
    if (fd < 0)
        return fd;
    entry_id(kept, 'e', id);
    error = vault_store(kept->runtime->vault, id, 0, fd);
    close(fd);
    return error;
}

int kept_release_create(struct runtime *runtime, struct release *release, struct kept_release **out)
{
    struct kept_release *kept = calloc(1, sizeof *kept);

    if (!kept) {
        release_free(release);
        return -ENOMEM;
    }
    *kept = (struct kept_release){
        .release = release, .serial = runtime_next_serial(runtime), .references = 1, .runtime = runtime
    };
    int error = store(kept);
    if (error) {
        kept_release_unref(kept);
        return error;
    }
    *out = kept;
    return 0;
}

struct kept_release *kept_release_restore(struct runtime *runtime, struct release *release, uint64_t serial)
{
    struct kept_release *kept = calloc(1, sizeof *kept);

    if (kept)
        *kept = (struct kept_release){ .release = release, .serial = serial, .runtime = runtime };
    return kept;
}

bool kept_release_take_entry(struct kept_release *kept, const struct vault_entry *entry)
{
    char id[VAULT_ID_BYTES];

    entry_id(kept, 'x', id);
    if (!strcmp(id, entry->id)) {
        kept->release->executable = entry->fd;
        return true;
    }
    entry_id(kept, 'e', id);
    if (strcmp(id, entry->id) != 0)
        return false;
    kept->release->environment = read_environment(entry->fd);
    close(entry->fd);
    return true;
}

struct kept_release *kept_release_ref(struct kept_release *kept)
{
    if (kept)
        kept->references++;
    return kept;
}

void kept_release_unref(struct kept_release *kept)
{
    char id[VAULT_ID_BYTES];

    if (!kept || --kept->references > 0)
        return;
    entry_id(kept, 'x', id);
    vault_drop(kept->runtime->vault, id);
    entry_id(kept, 'e', id);
    vault_drop(kept->runtime->vault, id);
    release_free(kept->release);
    free(kept);
}
