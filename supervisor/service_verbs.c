/* What people ask of a service. */
#include "supervisor/service_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *refusal(const struct service *service)
{
    switch (service->state) {
    case ROLLOUT_STOPPING:
    case ROLLOUT_STOPPED:
        return "it is being stopped";
    case ROLLOUT_REVERTING:
        return "a rollout is being reverted";
    default:
        return NULL;
    }
}

enum service_result service_upgrade(struct service *service, const char *asked_by, bool replace,
                                    uint32_t *generation, char text[SERVICE_TEXT_BYTES])
{
    const char *why = refusal(service);

    *generation = 0;
    if (why) {
        snprintf(text, SERVICE_TEXT_BYTES, "refused: %s", why);
        return SERVICE_REFUSED;
    }
    if (rollout_running(service->state) && !replace) {
        snprintf(text, SERVICE_TEXT_BYTES,
                 "refused: a rollout to generation %" PRIu32
                 " is running (%s, asked for by %s). Wait for it, or: baton "
                 "upgrade --replace | baton rollback",
                 service->attempt, rollout_state_name(service->state), service->asked_by);
        return SERVICE_REFUSED;
    }
    if (service_retired(service) >= service->max_old && !rollout_running(service->state)) {
        snprintf(text, SERVICE_TEXT_BYTES,
                 "refused: %u old generation%s still draining (max_old = %" PRIu32
                 "). Wait, or: baton drain %s",
                 service_retired(service), service_retired(service) == 1 ? " is" : "s are", service->max_old,
                 service->name);
        return SERVICE_REFUSED;
    }
    if (rollout_running(service->state)) {
        service->replaced = true;
        service->remembered = true;
        service_set_reason(service, "generation %" PRIu32 " was replaced by another upgrade (%s)",
                           service->attempt, asked_by);
        snprintf(service->asked_by, sizeof service->asked_by, "%s", asked_by);
        service_post(service, ROLLOUT_EV_REPLACE, NULL);
        service_run(service);
        return SERVICE_OK;
    }
    snprintf(service->asked_by, sizeof service->asked_by, "%s", asked_by);
    service_stop_timers(service);
    service->going_back = service->retrying = false;
    service_post(service, ROLLOUT_EV_START, NULL);
    service_run(service);
    *generation = service->attempt;
    return SERVICE_OK;
}

enum service_result service_rollback(struct service *service, const char *asked_by, uint32_t *generation,
                                     char text[SERVICE_TEXT_BYTES])
{
    const char *why = refusal(service);

    *generation = 0;
    if (!why && service->state != ROLLOUT_STEADY && !rollout_running(service->state))
        why = "nothing serves, so there is nothing to go back from";
    if (!why && service->state == ROLLOUT_STEADY && !service->previous.definition)
        why = "no earlier release is known: nothing was upgraded since baton was started";
    if (!why && service->state == ROLLOUT_STEADY && service_retired(service) >= service->max_old)
        why = "too many old generations are still draining (max_old); wait, or: baton drain";
    if (why) {
        snprintf(text, SERVICE_TEXT_BYTES, "refused: %s", why);
        return SERVICE_REFUSED;
    }
    if (rollout_running(service->state)) {
        service_set_reason(service, "generation %" PRIu32 " was rolled back as %s asked", service->attempt,
                           asked_by);
        *generation = service->attempt;
        service->remembered = false;
        service_post(service, ROLLOUT_EV_ROLLBACK, NULL);
        service_run(service);
        return SERVICE_OK;
    }
    char *stale = NULL;
    if (release_verify(service->previous.kept->release, &stale) != 0) {
        snprintf(text, SERVICE_TEXT_BYTES, "refused: generation %" PRIu32 " cannot be started again: %s",
                 service->previous.number, stale ? stale : "its release has changed");
        free(stale);
        return SERVICE_REFUSED;
    }
    snprintf(service->asked_by, sizeof service->asked_by, "%s", asked_by);
    service->going_back = true;
    service_post(service, ROLLOUT_EV_START, NULL);
    service_run(service);
    *generation = service->attempt;
    return SERVICE_OK;
}

void service_upgrade_soon(struct service *service, const char *asked_by)
{
    char text[SERVICE_TEXT_BYTES];
    uint32_t generation;

    if (service->state == ROLLOUT_STOPPING || service->state == ROLLOUT_STOPPED)
        return;
    if (service_upgrade(service, asked_by, false, &generation, text) == SERVICE_OK)
        return;
    service->remembered = true;
    service->runtime->dirty = true;
    events_record(service->events, "remembered", service->name, 0, NULL,
                  "an upgrade was asked for by %s while one runs: it starts when that has ended", asked_by);
    service->handlers->on_change(service->handlers->arg, service);
}

unsigned service_drain(struct service *service)
{
    unsigned count = 0;

    for (struct generation *g = service->generations; g; g = g->next) {
        if (g == service->stable || g == service->candidate)
            continue;
        generation_hurry(g);
        count++;
    }
    return count;
}

enum service_result service_scale(struct service *service, unsigned workers, char text[SERVICE_TEXT_BYTES])
{
    if (!service->stable || rollout_running(service->state) || refusal(service)) {
        snprintf(text, SERVICE_TEXT_BYTES, "refused: %s",
                 service->stable ? "a rollout is running; wait for it" : "nothing serves");
        return SERVICE_REFUSED;
    }
    service->workers = workers;
    service->runtime->dirty = true;
    generation_scale(service->stable, workers);
    events_record(service->events, "scaled", service->name, service->stable->number, NULL,
                  "%u worker%s wanted", workers, workers == 1 ? "" : "s");
    return SERVICE_OK;
}

void service_stop(struct service *service, uint64_t drain_ms)
{
    for (struct generation *g = service->generations; drain_ms && g; g = g->next)
        g->drain_ms = g->plan.drain_ms = drain_ms;
    service_post(service, ROLLOUT_EV_STOP, NULL);
}

void service_hurry(struct service *service)
{
    service_run(service); /* the stop itself may still be in the queue: it would not hurry */
    for (struct generation *g = service->generations; g; g = g->next)
        generation_hurry(g);
}
