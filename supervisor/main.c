/* baton-supervisor: arguments, the keeper, start or restore, the loop, the end. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "supervisor/supervisor.h"

static int connect_keeper(struct supervisor *supervisor, struct vault_entry **entries, size_t *count)
{
    int fd = vault_inherited(), error;

    if (fd < 0) {
        fprintf(stderr, "baton-supervisor: started by the keeper only; run: baton run\n");
        return fd;
    }
    error = vault_open(fd, &supervisor_vault_handlers, supervisor, &supervisor->runtime.vault, entries, count,
                       &supervisor->start);
    if (error) {
        fprintf(stderr, "baton-supervisor: the keeper does not answer: %s\n", strerror(-error));
        return error;
    }
    supervisor->safe_mode = supervisor->start.safe_mode;
    supervisor->runtime.nofile_soft = supervisor->start.nofile_soft;
    supervisor->runtime.nofile_hard = supervisor->start.nofile_hard;
    return 0;
}

/* Returns false for arguments that only a programming error can give. */
static bool parse_arguments(struct supervisor *supervisor, int argc, char **argv)
{
    static const struct option options[] = {
        { "name", required_argument, NULL, 'n' },      { "runtime-dir", required_argument, NULL, 'r' },
        { "state-dir", required_argument, NULL, 's' }, { "config", required_argument, NULL, 'c' },
        { "options", no_argument, NULL, 'o' },         { 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == 'n')
            supervisor->name = optarg;
        else if (option == 'r')
            supervisor->runtime_dir = optarg;
        else if (option == 's')
            supervisor->state_dir = optarg;
        else if (option == 'c')
            supervisor->config_path = optarg;
        else if (option != 'o')
            return false;
        if (option == 'o')
            break;
    }
    supervisor->options = argv + optind;
    supervisor->option_count = argc - optind;
    return supervisor->name && supervisor->runtime_dir && supervisor->state_dir;
}

/* Only when everything has ended: with a service goes the UNIX path on which its workers serve, and when the
 * keeper is gone they outlive us. */
static void free_all(struct supervisor *supervisor)
{
    while (supervisor->state.services) {
        struct service *service = supervisor->state.services;
        supervisor->state.services = service->next;
        service_free(service);
    }
    lanes_close(&supervisor->state.lanes);
    if (supervisor->control)
        control_close(supervisor->control, false);
    while (vault_wants_write(supervisor->runtime.vault))
        vault_dispatch(supervisor->runtime.vault);
    vault_close(supervisor->runtime.vault);
    events_close(supervisor->events);
    snapshot_close(&supervisor->snapshot);
    free(supervisor->state.accepted);
    ev_loop_destroy(supervisor->runtime.loop);
}

int main(int argc, char **argv)
{
    static struct supervisor supervisor;
    struct vault_entry *entries = NULL;
    size_t count = 0;
    char directory[4096];

    prctl(PR_SET_NAME, "baton-superviso"); /* 15 bytes; by descriptor, before Linux 6.14, we would be "5" */
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    if (!parse_arguments(&supervisor, argc, argv))
        return 2;
    supervisor.snapshot.fd = -1;
    supervisor_service_handlers.arg = &supervisor;
    supervisor.runtime = (struct runtime){
        .loop = ev_loop_new(EVFLAG_NOENV), /* the default loop would reap the children of others: checks */
        .name = supervisor.name,
        .directory = getcwd(directory, sizeof directory) ? directory : "/",
        .record = supervisor_record,
        .arg = &supervisor,
    };
    if (connect_keeper(&supervisor, &entries, &count) != 0)
        return 1;
    int error = supervisor_start(&supervisor, entries, count);
    free(entries);
    if (error && !supervisor.start.restarted) { /* nothing runs yet: say why and end baton as a whole */
        vault_finish(supervisor.runtime.vault, supervisor.exit_code ? supervisor.exit_code : 1);
        while (vault_wants_write(supervisor.runtime.vault))
            vault_dispatch(supervisor.runtime.vault);
        return 1;
    }
    if (error)
        return 1; /* the keeper tries again, later and in safe mode; workers go on */
    supervisor_watch(&supervisor);
    ev_run(supervisor.runtime.loop, 0);
    if (supervisor.finished)
        free_all(&supervisor);
    return 0;
}
