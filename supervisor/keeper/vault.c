#include "supervisor/keeper/vault.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The STORE of a child that has ended is at most this far behind its end. A pid seen longer ago among the
 * reaped belonged to somebody else. */
enum { REAPED_MS = 10000 };

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2) /* Linux 6.9 */
#endif

bool vault_is_own(const char *id)
{
    return !strcmp(id, VAULT_SUPERVISOR) || !strcmp(id, VAULT_EXECUTABLE);
}

struct vault_record *vault_find(struct vault_table *table, const char *id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->records[i].fd >= 0 && !strcmp(table->records[i].entry.id, id))
            return &table->records[i];
    return NULL;
}

bool vault_is_empty(const struct vault_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->records[i].entry.id, VAULT_SUPERVISOR) != 0)
            return false;
    return true;
}

static void erase(struct vault_table *table, size_t index)
{
    table->count--;
    memmove(&table->records[index], &table->records[index + 1],
            (table->count - index) * sizeof *table->records);
}

static bool is_readable(int fd)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    return poll(&ready, 1, 0) == 1;
}

/* The oldest of them: exits happen in the order in which the processes had the pid. */
static int take_reaped(struct vault_table *table, pid_t pid, uint64_t now_ms)
{
    for (size_t i = 0; i < VAULT_REAPED; i++) {
        size_t slot = (table->next_reaped + i) % VAULT_REAPED;

        if (table->reaped[slot].pid != pid || now_ms - table->reaped[slot].at_ms > REAPED_MS)
            continue;
        table->reaped[slot].pid = 0;
        return table->reaped[slot].status;
    }
    return -1;
}

static void set_exited(struct vault_record *record, int status)
{
    record->entry.exited = true;
    record->entry.status = status;
    record->exit_due = true;
    record->foreign = false;
}

/* Our child, dead or alive: waitpid() will tell. Another's: its pidfd will. Neither: it ended before. */
static int examine(struct vault_table *table, struct vault_record *record, uint64_t now_ms)
{
    siginfo_t info;

    if (waitid(P_PIDFD, (id_t)record->fd, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        return 0;
    if (errno != ECHILD)
        return -EINVAL;
    if (is_readable(record->fd))
        set_exited(record, take_reaped(table, record->entry.pid, now_ms));
    else
        record->foreign = true;
    return 0;
}

static int check(struct vault_table *table, const char *id, pid_t pid)
{
    if (!wire_is_id(id) || pid < -1)
        return -EINVAL;
    if (table->count == VAULT_RECORDS_MAX)
        return -ENOSPC;
    return table->count < table->limit || vault_is_own(id) || vault_find(table, id) ? 0 : -ENOSPC;
}

int vault_put(struct vault_table *table, const char *id, pid_t pid, int fd, uint64_t now_ms,
              struct vault_record **out)
{
    struct vault_record record = { .fd = fd, .entry.pid = pid, .sd_due = table->has_store };
    int error = check(table, id, pid);

    if (!error && pid > 0)
        error = examine(table, &record, now_ms);
    if (error) {
        close(fd);
        return error;
    }
    if (pid == -1)
        set_exited(&record, -1);
    vault_remove(table, id);
    strcpy(record.entry.id, id);
    record.serial = ++table->last_serial;
    *out = &table->records[table->count++];
    **out = record;
    return 0;
}

void vault_remove(struct vault_table *table, const char *id)
{
    struct vault_record *record = vault_find(table, id);

    if (!record)
        return;
    close(record->fd);
    record->fd = -1;
    if (!table->has_store || record->sd_due)
        erase(table, (size_t)(record - table->records));
    else
        record->sd_due = true; /* systemd has a copy */
}

bool vault_saved(struct vault_table *table, size_t index)
{
    table->records[index].sd_due = false;
    if (table->records[index].fd >= 0)
        return true;
    erase(table, index);
    return false;
}

struct vault_record *vault_reap(struct vault_table *table, pid_t pid, int status, uint64_t now_ms)
{
    for (size_t i = 0; i < table->count; i++) {
        struct vault_record *record = &table->records[i];

        if (!vault_is_alive(record) || record->foreign || record->entry.pid != pid)
            continue;
        set_exited(record, status);
        return record;
    }
    table->reaped[table->next_reaped].pid = pid;
    table->reaped[table->next_reaped].status = status;
    table->reaped[table->next_reaped].at_ms = now_ms;
    table->next_reaped = (table->next_reaped + 1) % VAULT_REAPED;
    return NULL;
}

size_t vault_foreign(const struct vault_table *table, struct pollfd *fds)
{
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++)
        if (table->records[i].foreign && table->records[i].fd >= 0)
            fds[count++] = (struct pollfd){ .fd = table->records[i].fd, .events = POLLIN };
    return count;
}

void vault_check_foreign(struct vault_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->records[i].foreign && table->records[i].fd >= 0 && is_readable(table->records[i].fd))
            set_exited(&table->records[i], -1);
}

bool vault_is_alive(const struct vault_record *record)
{
    return record->fd >= 0 && record->entry.pid > 0 && !record->entry.exited;
}

size_t vault_signal(struct vault_table *table, int signo)
{
    size_t alive = 0;

    for (size_t i = 0; i < table->count; i++) {
        int fd = table->records[i].fd;

        if (!vault_is_alive(&table->records[i]))
            continue;
        alive++;
        if (syscall(SYS_pidfd_send_signal, fd, signo, NULL, PIDFD_SIGNAL_PROCESS_GROUP) < 0)
            syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0); /* an older kernel, or no leader of a group */
    }
    return alive;
}
