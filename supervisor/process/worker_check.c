/* Asking a worker: `ready` until it is, `verify` before it gets traffic. */
#include "supervisor/process/worker_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    CHECK_INTERVAL_MS = 100,
    CHECK_TIMEOUT_MS = 5000,
    /* Answers of `verify` that must fail in a row. */
    VERIFY_TRIES = 3,
};

/* --- readiness --- */

static void on_check_answer(void *arg, bool success, const char *answer)
{
    struct worker *worker = arg;

    snprintf(worker->answer, sizeof worker->answer, "%s", answer);
    if (success) {
        probe_stop(worker->probe);
        worker->probe = NULL;
        worker_event(worker, WORKER_EV_READY);
    }
}

/* 0 or -errno. */
static int start_check(struct worker *worker, const struct config_check *check, uint64_t timeout_ms,
                       probe_answer_fn *answered)
{
    struct probe_target target = {
        .check = check,
        .address = worker->probe_address,
        .address_length = worker->probe_length,
        .envp = worker->environment ? worker->environment->list : environ,
        .directory = worker->plan->release->directory,
        .user = worker->plan->user,
        .interval_ms = CHECK_INTERVAL_MS,
        .timeout_ms = timeout_ms < CHECK_TIMEOUT_MS ? timeout_ms : CHECK_TIMEOUT_MS,
    };

    return probe_start(worker_runtime(worker)->loop, &target, answered, worker, &worker->probe);
}

void worker_begin_readiness(struct worker *worker)
{
    const struct config_check *ready = &worker->plan->service->ready;

    if (ready->kind == CHECK_ALIVE)
        worker_arm(worker, ready->time_ms);
    if (ready->kind != CHECK_HTTP && ready->kind != CHECK_EXEC)
        return;
    int error = start_check(worker, ready, worker->plan->service->ready_timeout_ms, on_check_answer);
    if (error)
        snprintf(worker->answer, sizeof worker->answer, "the check could not be started: %s",
                 strerror(-error));
}
void worker_describe_timeout(struct worker *worker)
{
    const struct config_service *service = worker->plan->service;
    char time[32];

    runtime_format_ms(service->ready_timeout_ms, time);
    if (worker->state == WORKER_READY) {
        worker_set_reason(worker, "did not accept on its listeners within %s (no SERVING)", time);
        return;
    }
    switch (service->ready.kind) {
    case CHECK_NATIVE:
        worker_set_reason(
            worker, "was not ready after %s: it did not say READY over its channel (ready = native)", time);
        break;
    case CHECK_NOTIFY:
        worker_set_reason(worker,
                          "was not ready after %s: it did not send READY=1 to NOTIFY_SOCKET (ready = notify)",
                          time);
        break;
    case CHECK_AUTO:
        worker_set_reason(
            worker,
            "was not ready after %s: it said neither READY (libbaton) nor READY=1 (sd_notify); if it does "
            "neither, set ready = http:/path, exec:COMMAND or alive:TIME",
            time);
        break;
    default:
        worker_set_reason(worker, "was not ready after %s: %s", time,
                          worker->answer[0] ? worker->answer : "no answer");
    }
}

/* --- verification --- */

static void finish_verify(struct worker *worker, bool success)
{
    worker_disarm(worker);
    worker->on_verified(worker->plan->arg, worker, success);
}

static void on_verify_answer(void *arg, bool success, const char *answer)
{
    struct worker *worker = arg;

    snprintf(worker->answer, sizeof worker->answer, "%s", answer);
    if (success) {
        finish_verify(worker, true);
    } else if (++worker->checks_failed >= VERIFY_TRIES) {
        worker_set_reason(worker, "failed its verification: %s", answer);
        finish_verify(worker, false);
    }
}

void worker_verify(struct worker *worker, void (*answered)(void *arg, struct worker *worker, bool success))
{
    const struct config_check *check = &worker->plan->service->verify;

    worker->on_verified = answered;
    worker->checks_failed = 0;
    if (check->kind == CHECK_NONE) {
        answered(worker->plan->arg, worker, true);
        return;
    }
    worker->verifying = true;
    if (check->kind == CHECK_HTTP && !worker_listens_at_exec(worker) && worker->native) {
        /* It answers on the private socket before it gets a public one. */
        struct native_listener probe = { .name = "probe", .fd = worker->probe_socket };
        worker->probe_given = native_give_listeners(worker->native, &probe, 1) == 0;
    }
    int error =
        start_check(worker, check, worker->plan->service->ready_timeout_ms / VERIFY_TRIES, on_verify_answer);
    if (error) {
        worker_set_reason(worker, "could not be verified: %s", strerror(-error));
        finish_verify(worker, false);
    }
}