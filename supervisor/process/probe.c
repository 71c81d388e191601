#include "supervisor/process/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/process/probe_exec.h"
#include "supervisor/process/probe_http.h"

enum { LISTEN_BACKLOG = 16, ANSWER_BYTES = 256 };

struct probe {
    struct ev_loop *loop;
    struct probe_target target;
    probe_answer_fn *answered;
    void *arg;
    ev_timer timer;          /* until the try has timed out, or between two tries */
    struct probe_http *http; /* at most one of the two is under way */
    struct probe_exec *exec;
};

int probe_listen(struct sockaddr_storage *address, socklen_t *length)
{
    const struct sockaddr_in any_port = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    *length = sizeof *address;
    if (bind(fd, (const struct sockaddr *)&any_port, sizeof any_port) || listen(fd, LISTEN_BACKLOG) ||
        getsockname(fd, (struct sockaddr *)address, length)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static void arm(struct probe *probe, uint64_t ms)
{
    ev_now_update(probe->loop);
    ev_timer_stop(probe->loop, &probe->timer);
    ev_timer_set(&probe->timer, (double)ms / 1000, 0);
    ev_timer_start(probe->loop, &probe->timer);
}

static void end_try(struct probe *probe)
{
    ev_timer_stop(probe->loop, &probe->timer);
    if (probe->http)
        probe_http_stop(probe->http);
    if (probe->exec)
        probe_exec_stop(probe->exec);
    probe->http = NULL;
    probe->exec = NULL;
}

/* The last thing of every way here: the probe may be gone afterwards. */
static void on_answer(void *arg, bool success, const char *answer)
{
    struct probe *probe = arg;

    end_try(probe);
    if (!success)
        arm(probe, probe->target.interval_ms);
    probe->answered(probe->arg, success, answer);
}

static void begin_try(struct probe *probe)
{
    char *reason = NULL;
    int error;

    arm(probe, probe->target.timeout_ms);
    if (probe->target.check->kind == CHECK_HTTP)
        error = probe_http_start(probe->loop, &probe->target, on_answer, probe, &probe->http);
    else
        error = probe_exec_start(probe->loop, &probe->target, on_answer, probe, &probe->exec, &reason);
    if (error == 0)
        return;
    char answer[ANSWER_BYTES];
    snprintf(answer, sizeof answer, "%s", reason ? reason : strerror(-error));
    free(reason);
    on_answer(probe, false, answer);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct probe *probe = timer->data;
    const struct config_check *check = probe->target.check;
    char answer[ANSWER_BYTES], timeout[32];

    (void)loop;
    (void)events;
    if (!probe->http && !probe->exec) {
        begin_try(probe);
        return;
    }
    config_format_duration(probe->target.timeout_ms, timeout);
    if (probe->http)
        snprintf(answer, sizeof answer, "%.150s did not answer within %s", check->path, timeout);
    else
        snprintf(answer, sizeof answer, "%.150s did not end within %s", check->argv[0], timeout);
    on_answer(probe, false, answer);
}

int probe_start(struct ev_loop *loop, const struct probe_target *target, probe_answer_fn *answered, void *arg,
                struct probe **out)
{
    struct probe *probe = calloc(1, sizeof *probe);

    if (!probe)
        return -ENOMEM;
    probe->loop = loop;
    probe->target = *target;
    probe->answered = answered;
    probe->arg = arg;
    ev_timer_init(&probe->timer, on_timer, 0, 0);
    probe->timer.data = probe;
    arm(probe, 0);
    *out = probe;
    return 0;
}

void probe_stop(struct probe *probe)
{
    if (!probe)
        return;
    end_try(probe);
    free(probe);
}
