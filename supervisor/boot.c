/* How a supervisor begins: fresh from the configuration, or where the one before it was killed. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/config_files.h"
#include "supervisor/core/definition.h"
#include "supervisor/log.h"
#include "supervisor/process/fault.h"
#include "supervisor/supervisor.h"

static int take_entry(struct vault_entry *entries, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(entries[i].id, id)) {
            int fd = entries[i].fd;
            entries[i].fd = -1;
            return fd;
        }
    }
    return -1;
}

static int load_config(struct supervisor *supervisor, struct config **config)
{
    struct config_errors errors = { 0 };
    int error = supervisor->config_path
                    ? config_files_load(supervisor->config_path, config, &errors)
                    : config_from_options(supervisor->option_count, supervisor->options, config, &errors);

    for (size_t i = 0; i < errors.count; i++)
        fprintf(stderr, "baton: %s\n", errors.lines[i]);
    config_errors_free(&errors);
    return error;
}

/* All are known before the first one starts: what is recorded then is complete. */
static int start_services(struct supervisor *supervisor, const struct config *config)
{
    char text[SERVICE_TEXT_BYTES];
    uint32_t generation;

    for (size_t i = 0; i < config->service_count; i++) {
        char *definition = definition_make(config, &config->services[i]);
        struct service *service =
            definition ? supervisor_add_service(supervisor, config->services[i].name, definition) : NULL;

        free(definition);
        if (!service)
            return -ENOMEM;
    }
    for (struct service *s = supervisor->state.services; s; s = s->next)
        service_upgrade(s, "start", false, &generation, text);
    return 0;
}

/* The first supervisor of this instance. */
static int start_fresh(struct supervisor *supervisor)
{
    struct config *config;
    struct timespec now;
    int error = load_config(supervisor, &config);

    if (error) {
        supervisor->exit_code = 2;
        return error;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    supervisor->state.started = (double)now.tv_sec;
    supervisor->state.accepted = config_text(config);
    if (log_open(&config->log) != 0)
        fprintf(stderr, "baton: the log %s cannot be opened: %s\n", config->log.path ? config->log.path : "",
                strerror(errno));
    error = snapshot_create(&supervisor->snapshot);
    if (!error)
        error = vault_store(supervisor->runtime.vault, "state", 0, supervisor->snapshot.fd);
    if (!error)
        error = start_services(supervisor, config);
    config_free(config);
    return error;
}

static void reopen_log(struct supervisor *supervisor)
{
    struct config_errors errors = { 0 };
    struct config *config;

    if (config_parse_text(supervisor->state.accepted, &config, &errors) == 0) {
        log_open(&config->log);
        config_free(config);
    }
    config_errors_free(&errors);
}

static void drop_lane(struct supervisor *supervisor, uint64_t serial)
{
    char id[VAULT_ID_BYTES];

    snprintf(id, sizeof id, "l%" PRIu64, serial);
    vault_drop(supervisor->runtime.vault, id);
}

/* Listeners of a generation that was being made when the supervisor before us died: nobody uses them. */
static void close_unused_lanes(struct supervisor *supervisor)
{
    struct lane *next;

    for (struct lane *lane = supervisor->state.lanes.first; lane; lane = next) {
        uint64_t serial;

        next = lane->next;
        if (lane->users > 0)
            continue;
        lanes_use(lane);
        lanes_release(&supervisor->state.lanes, lane, &serial);
        drop_lane(supervisor, serial);
    }
}

/* What the keeper holds and the state does not know was begun and never recorded: end it, but for listening
 * sockets, which may be wanted again at once. */
static void drop_unknown(struct supervisor *supervisor, struct vault_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vault_entry *entry = &entries[i];

        uint64_t serial = strtoull(entry->id + 1, NULL, 10);

        if (entry->fd < 0)
            continue;
        if (serial > supervisor->runtime.serial)
            supervisor->runtime.serial = serial; /* no id is given twice */
        if (entry->id[0] == 'l') {
            lanes_add_spare(&supervisor->state.lanes, entry->fd, serial);
            continue;
        }
        if (entry->pid > 0 && !entry->exited) {
            struct spawn child = { .pid = entry->pid, .pidfd = entry->fd, .gate = -1 };
            spawn_signal(&child, SIGKILL, true);
        }
        close(entry->fd);
        if (strncmp(entry->id, "supervisor", strlen("supervisor")) != 0) /* those are the keeper's own */
            vault_drop(supervisor->runtime.vault, entry->id);
    }
}

void supervisor_drop_spares(struct supervisor *supervisor)
{
    uint64_t serial;

    while (lanes_drop_spare(&supervisor->state.lanes, &serial))
        drop_lane(supervisor, serial);
}

static int read_state(struct supervisor *supervisor, int fd, struct vault_entry *entries, size_t count)
{
    const void *bytes;
    size_t length;
    const char *reason = "it cannot be read";
    json_t *json = NULL;
    int error = snapshot_attach(&supervisor->snapshot, fd);

    if (!error)
        error = snapshot_read(&supervisor->snapshot, &bytes, &length);
    if (error > 0)
        return error;
    if (!error && !(json = json_loadb(bytes, length, 0, NULL)))
        error = -EBADMSG;
    if (!error)
        error = state_restore(json, &supervisor->runtime, supervisor->events, &supervisor_service_handlers,
                              entries, count, &supervisor->state, &reason);
    json_decref(json);
    if (error)
        log_error("state=unusable reason=\"%s\" effect=\"workers go on, nothing can be changed; stop baton "
                  "to end them\"",
                  reason);
    return error;
}

/* Go on where the supervisor before us was killed. */
static int restore(struct supervisor *supervisor, int fd, struct vault_entry *entries, size_t count)
{
    int error = read_state(supervisor, fd, entries, count);

    if (error == SNAPSHOT_EMPTY) { /* it died before anything was started */
        snapshot_close(&supervisor->snapshot);
        drop_unknown(supervisor, entries, count);
        return start_fresh(supervisor);
    }
    if (error)
        return error;
    reopen_log(supervisor);
    close_unused_lanes(supervisor);
    drop_unknown(supervisor, entries, count);
    for (struct service *s = supervisor->state.services; s; s = s->next)
        service_resume(s);
    for (struct service *s = supervisor->state.services; s; s = s->next)
        supervisor_service_handlers.on_change(supervisor,
                                              s); /* systemd may show what a crashed keeper said */
    events_record(supervisor->events, "restored", NULL, 0,
                  json_pack("{s:i, s:b}", "restarts", (int)supervisor->start.restarts, "safe_mode",
                            supervisor->safe_mode),
                  "the supervisor was restarted (%u times so far); every generation is as before",
                  supervisor->start.restarts);
    for (struct service *s = supervisor->state.services; supervisor->safe_mode && s; s = s->next) {
        uint32_t generation;
        char text[SERVICE_TEXT_BYTES];
        if (rollout_running(s->state))
            service_rollback(s, "the safe mode", &generation, text);
    }
    return 0;
}

static int open_control(struct supervisor *supervisor, int fd)
{
    char path[512], *reason = NULL;

    snprintf(path, sizeof path, "%s/control.sock", supervisor->runtime_dir);
    int error = control_open(supervisor->runtime.loop, path, fd, supervisor_verbs, supervisor,
                             &supervisor->control, &reason);
    if (error)
        fprintf(stderr, "baton: %s\n", reason ? reason : strerror(-error));
    free(reason);
    return error ? error
                 : vault_store(supervisor->runtime.vault, "control", 0, control_fd(supervisor->control));
}

int supervisor_start(struct supervisor *supervisor, struct vault_entry *entries, size_t count)
{
    int state = take_entry(entries, count, "state");
    int error = events_open(take_entry(entries, count, "events"), supervisor->state_dir, &supervisor->events);

    if (error)
        return error;
    events_subscribe(supervisor->events, supervisor_on_event, supervisor);
    vault_store(supervisor->runtime.vault, "events", 0, events_ring_fd(supervisor->events));
    error = open_control(supervisor, take_entry(entries, count, "control"));
    if (error)
        return error;
    if (state < 0)
        drop_unknown(supervisor, entries, count);
    error = state >= 0 ? restore(supervisor, state, entries, count) : start_fresh(supervisor);
    if (error)
        return error;
    supervisor_record(supervisor);
    fault_point("before-hello");
    return vault_hello(supervisor->runtime.vault);
}
