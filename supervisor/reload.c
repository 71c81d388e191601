#include "supervisor/reload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config_files.h"
#include "supervisor/core/definition.h"
#include "supervisor/log.h"

/* What is to be done with one service of the new configuration. */
struct change {
    const struct config_service *wanted;
    struct service *service; /* NULL: new */
    char *definition;
    const char *what; /* NULL: nothing changed */
};

struct plan {
    struct config *config;
    struct change *changes;
    size_t count;
};

static void free_plan(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        free(plan->changes[i].definition);
    free(plan->changes);
    config_free(plan->config);
}

static enum service_result load(struct supervisor *supervisor, struct config **config, FILE *text)
{
    struct config_errors errors = { 0 };
    int error = supervisor->config_path
                    ? config_files_load(supervisor->config_path, config, &errors)
                    : config_from_options(supervisor->option_count, supervisor->options, config, &errors);

    for (size_t i = 0; i < errors.count; i++)
        fprintf(text, "%s\n", errors.lines[i]);
    if (error)
        fprintf(text, "%zu error%s, nothing was changed", errors.count, errors.count == 1 ? "" : "s");
    config_errors_free(&errors);
    return error ? SERVICE_USAGE : SERVICE_OK;
}

/* Whether a start now would run something else than what serves. What cannot even be resolved counts as
 * changed: the rollout then says why. */
static bool release_changed(struct supervisor *supervisor, const struct service *service,
                            const struct config_service *wanted)
{
    struct release *now = NULL;

    if (!service->stable)
        return true;
    if (release_resolve(wanted, supervisor->runtime.directory, &now, NULL) != 0)
        return true;
    bool same = release_equal(now, service->stable->kept->release);
    release_free(now);
    return !same;
}

static const char *what_changed(struct supervisor *supervisor, const struct change *change)
{
    if (!change->service)
        return "new";
    if (strcmp(change->definition, change->service->wanted) != 0 || service_differs(change->service))
        return "its definition changed";
    if (release_changed(supervisor, change->service, change->wanted))
        return change->service->stable ? "its executable, files or environment changed" : "it does not serve";
    return NULL;
}

static bool make_plan(struct supervisor *supervisor, struct plan *plan)
{
    plan->changes = calloc(plan->config->service_count + 1, sizeof *plan->changes);
    if (!plan->changes)
        return false;
    for (; plan->count < plan->config->service_count; plan->count++) {
        struct change *change = &plan->changes[plan->count];

        change->wanted = &plan->config->services[plan->count];
        change->service = supervisor_find_service(supervisor, change->wanted->name);
        change->definition = definition_make(plan->config, change->wanted);
        if (!change->definition)
            return false;
        change->what = what_changed(supervisor, change);
    }
    return true;
}

static bool is_in(const struct plan *plan, const struct service *service)
{
    return config_find_service(plan->config, service->name) != NULL;
}

/* Everything that stands against the plan, a line each. */
static bool refused(struct supervisor *supervisor, const struct plan *plan, FILE *text)
{
    bool refuse = false;

    for (size_t i = 0; i < plan->count; i++) {
        const struct change *change = &plan->changes[i];
        const struct service *service = change->service;

        if (!service || !change->what)
            continue;
        if (rollout_running(service->state) || service->state == ROLLOUT_STOPPING) {
            fprintf(text, "%s%s: refused: %s, but a rollout to generation %" PRIu32 " is running (%s)",
                    refuse ? "\n" : "", service->name, change->what, service->attempt,
                    rollout_state_name(service->state));
            refuse = true;
        } else if (service_retired(service) >= service->max_old) {
            fprintf(
                text, "%s%s: refused: %s, but %u old generations are still draining (max_old = %" PRIu32 ")",
                refuse ? "\n" : "", service->name, change->what, service_retired(service), service->max_old);
            refuse = true;
        }
    }
    for (const struct service *s = supervisor->state.services; s; s = s->next) {
        if (is_in(plan, s) || !rollout_running(s->state))
            continue;
        fprintf(text, "%s%s: refused: it was removed, but a rollout to generation %" PRIu32 " is running",
                refuse ? "\n" : "", s->name, s->attempt);
        refuse = true;
    }
    if (refuse)
        fprintf(text, "\nnothing was changed");
    return refuse;
}

static void apply_change(struct supervisor *supervisor, struct change *change, const char *asked_by,
                         struct waiting *waiting, bool wait)
{
    char text[SERVICE_TEXT_BYTES], line[SERVICE_TEXT_BYTES + 64];
    uint32_t generation;

    if (!change->what) {
        if (waiting)
            waiting_add_result(waiting, change->wanted->name, change->service->stable->number, SERVICE_OK,
                               "nothing changed");
        return;
    }
    if (!change->service)
        change->service = supervisor_add_service(supervisor, change->wanted->name, change->definition);
    if (!change->service || service_want(change->service, change->definition) != 0) {
        if (waiting)
            waiting_add_result(waiting, change->wanted->name, 0, SERVICE_FAILED, "out of memory");
        return;
    }
    if (waiting && wait)
        waiting_add(waiting, change->service, change->service->attempt + 1, false);
    enum service_result result = service_upgrade(change->service, asked_by, false, &generation, text);
    if (!waiting || (result == SERVICE_OK && wait))
        return;
    if (result == SERVICE_OK)
        snprintf(line, sizeof line, "%s: generation %" PRIu32 " is starting", change->what, generation);
    else
        snprintf(line, sizeof line, "%s", text);
    waiting_add_result(waiting, change->wanted->name, generation, result, line);
}

static void remove_others(struct supervisor *supervisor, const struct plan *plan, struct waiting *waiting)
{
    for (struct service *s = supervisor->state.services; s; s = s->next) {
        if (is_in(plan, s) || s->removed)
            continue;
        s->removed = true;
        service_stop(s, 0);
        if (waiting)
            waiting_add_result(waiting, s->name, 0, SERVICE_OK, "removed: it is being stopped");
    }
}

/* Nothing can fail any more but single rollouts, which say so themselves. */
static void apply(struct supervisor *supervisor, struct plan *plan, const char *asked_by,
                  struct waiting *waiting, bool wait)
{
    char *accepted = config_text(plan->config);

    if (accepted) {
        free(supervisor->state.accepted);
        supervisor->state.accepted = accepted;
    }
    if (log_open(&plan->config->log) != 0)
        events_record(supervisor->events, "notice", NULL, 0, NULL,
                      "the log %s cannot be opened: the old place stays",
                      plan->config->log.path ? plan->config->log.path : "");
    remove_others(supervisor, plan, waiting); /* first: what they listened on may be wanted by others */
    for (size_t i = 0; i < plan->count; i++)
        apply_change(supervisor, &plan->changes[i], asked_by, waiting, wait);
    supervisor->runtime.dirty = true;
}

/* What is about to be done. */
static void describe(struct supervisor *supervisor, const struct plan *plan, FILE *text)
{
    const char *separator = "reloaded: ";

    for (size_t i = 0; i < plan->count; i++) {
        if (!plan->changes[i].what)
            continue;
        fprintf(text, "%s%s: %s", separator, plan->changes[i].wanted->name, plan->changes[i].what);
        separator = "; ";
    }
    for (const struct service *s = supervisor->state.services; s; s = s->next) {
        if (is_in(plan, s) || s->removed)
            continue;
        fprintf(text, "%s%s: removed", separator, s->name);
        separator = "; ";
    }
    if (separator[0] != ';')
        fputs("reloaded: nothing changed", text);
}

/* Before the first rollout that it begins. */
static void record(struct supervisor *supervisor, const char *asked_by, enum service_result result,
                   const char *text)
{
    events_record(supervisor->events, "reload", NULL, 0,
                  json_pack("{s:i, s:s}", "result", (int)result, "asked_by", asked_by), "%s",
                  text ? text : "out of memory");
}

enum service_result reload_run(struct supervisor *supervisor, const char *asked_by, struct waiting *waiting,
                               bool wait, char **text)
{
    struct plan plan = { 0 };
    size_t bytes;
    FILE *lines = open_memstream(text, &bytes);

    if (!lines)
        return SERVICE_FAILED;
    enum service_result result = load(supervisor, &plan.config, lines);
    if (result == SERVICE_OK && !make_plan(supervisor, &plan)) {
        fputs("out of memory, nothing was changed", lines);
        result = SERVICE_FAILED;
    }
    if (result == SERVICE_OK && refused(supervisor, &plan, lines))
        result = SERVICE_REFUSED;
    if (result == SERVICE_OK)
        describe(supervisor, &plan, lines);
    fclose(lines);
    record(supervisor, asked_by, result, *text);
    if (result == SERVICE_OK)
        apply(supervisor, &plan, asked_by, waiting, wait);
    free_plan(&plan);
    return result;
}
