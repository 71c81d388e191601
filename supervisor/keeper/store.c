#include "supervisor/keeper/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The process a pidfd stands for: -1 when it has been reaped, 0 when `fd` is not a pidfd. */
static pid_t pid_of(int fd)
{
    char path[40], text[512];
    const char *line;
    ssize_t size;
    int info;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    info = open(path, O_RDONLY | O_CLOEXEC);
    if (info < 0)
        return 0;
    size = read(info, text, sizeof text - 1);
    close(info);
    text[size > 0 ? size : 0] = '\0';
    line = strstr(text, "\nPid:");
    return line ? (pid_t)strtol(line + strlen("\nPid:"), NULL, 10) : 0;
}

void store_open(struct store *store, struct vault_table *table, int count, char *names, uint64_t now_ms)
{
    struct vault_record *record;

    sd_open(&store->sd);
    table->has_store = store->sd.fd >= 0;
    for (int fd = SD_FIRST_FD; fd < SD_FIRST_FD + count; fd++) {
        const char *id = sd_next_name(&names);

        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
            continue;
        if (vault_find(table, id))
            close(fd);
        else if (vault_put(table, id, vault_is_own(id) ? 0 : pid_of(fd), fd, now_ms, &record) == 0)
            record->sd_due = false; /* that is where it comes from */
    }
}

void store_notify(struct store *store, const char *text)
{
    store->text[0] = '\0';
    strncat(store->text, text, sizeof store->text - 1);
}

bool store_flush(struct store *store, struct vault_table *table)
{
    size_t i = 0;

    while (table->has_store && i < table->count) {
        const struct vault_record *record = &table->records[i];

        if (record->sd_due && sd_store(&store->sd, record->entry.id, record->fd) == SD_AGAIN)
            return true;
        if (!record->sd_due || vault_saved(table, i))
            i++;
    }
    if (store->text[0] && sd_send(&store->sd, store->text, -1) == SD_AGAIN)
        return true;
    store->text[0] = '\0';
    return false;
}
