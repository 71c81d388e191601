#include "supervisor/process/probe_http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES_MAX = 16 * 1024, ANSWER_BYTES = 320 };

struct probe_http {
    struct ev_loop *loop;
    const struct config_check *check;
    probe_answer_fn *answered;
    void *arg;
    struct timespec began;
    ev_io io;
    char *request;
    size_t request_bytes, sent, received;
    char head[HEAD_BYTES_MAX];
};

/* Behind the headers that begin at `bytes`: at their empty line's end. NULL: it is not there yet. */
static const char *end_of_head(const char *bytes, size_t length)
{
    for (const char *at = bytes; (at = memchr(at, '\n', length - (size_t)(at - bytes)));) {
        at++;
        size_t left = length - (size_t)(at - bytes);
        if (left >= 1 && at[0] == '\n')
            return at + 1;
        if (left >= 2 && at[0] == '\r' && at[1] == '\n')
            return at + 2;
    }
    return NULL;
}

/* "HTTP/1.1 200" and then a blank or the line's end. */
static int parse_status_line(const char *line, size_t length)
{
    static const char form[] = "HTTP/1.d ddd";
    size_t i;

    for (i = 0; form[i]; i++) {
        if (i == length)
            return 0;
        if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
            return -EPROTO;
    }
    if (i == length)
        return 0;
    if (!strchr(" \r\n", line[i]) || line[i - 3] == '0')
        return -EPROTO;
    return (line[i - 3] - '0') * 100 + (line[i - 2] - '0') * 10 + (line[i - 1] - '0');
}

int probe_http_status(const char *bytes, size_t length)
{
    for (;;) {
        int status = parse_status_line(bytes, length);
        const char *end = status > 0 ? end_of_head(bytes, length) : NULL;

        if (status < 0 || !end)
            return status < 0 ? status : 0;
        if (status >= 200)
            return status;
        length -= (size_t)(end - bytes);
        bytes = end;
    }
}

static unsigned long elapsed_ms(const struct probe_http *http)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)((now.tv_sec - http->began.tv_sec) * 1000 +
                           (now.tv_nsec - http->began.tv_nsec) / 1000000);
}

static void answer_failure(struct probe_http *http, const char *what)
{
    char answer[ANSWER_BYTES];

    ev_io_stop(http->loop, &http->io);
    snprintf(answer, sizeof answer, "%.200s: %s", http->check->path, what);
    http->answered(http->arg, false, answer);
}

static void answer_status(struct probe_http *http, int status)
{
    int wanted = http->check->status;
    bool success = wanted ? status == wanted : status / 100 == 2;
    char answer[ANSWER_BYTES], expected[16] = "2xx";

    ev_io_stop(http->loop, &http->io);
    if (wanted)
        snprintf(expected, sizeof expected, "%d", wanted);
    if (success)
        snprintf(answer, sizeof answer, "%.200s answered %d in %lu ms", http->check->path, status,
                 elapsed_ms(http));
    else
        snprintf(answer, sizeof answer, "%.200s answered %d, not %s", http->check->path, status, expected);
    http->answered(http->arg, success, answer);
}

static void receive(struct probe_http *http)
{
    ssize_t got = recv(http->io.fd, http->head + http->received, sizeof http->head - http->received, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        answer_failure(http, got < 0          ? strerror(errno)
                             : http->received ? "the connection was closed in the middle of the answer"
                                              : "the connection was closed without an answer");
        return;
    }
    http->received += (size_t)got;
    int status = probe_http_status(http->head, http->received);
    if (status > 0)
        answer_status(http, status);
    else if (status < 0)
        answer_failure(http, "the answer is not HTTP");
    else if (http->received == sizeof http->head)
        answer_failure(http, "the headers of the answer are too long");
}

/* Connected, or a connect(2) that failed: send(2) tells. */
static void transmit(struct probe_http *http)
{
    ssize_t sent =
        send(http->io.fd, http->request + http->sent, http->request_bytes - http->sent, MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        answer_failure(http, strerror(errno));
        return;
    }
    http->sent += sent > 0 ? (size_t)sent : 0;
    if (http->sent == http->request_bytes) {
        ev_io_stop(http->loop, &http->io);
        ev_io_modify(&http->io, EV_READ);
        ev_io_start(http->loop, &http->io);
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct probe_http *http = io->data;

    (void)loop;
    if (events & EV_WRITE)
        transmit(http);
    else
        receive(http);
}

int probe_http_start(struct ev_loop *loop, const struct probe_target *target, probe_answer_fn *answered,
                     void *arg, struct probe_http **out)
{
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct probe_http *http = calloc(1, sizeof *http);
    int length = -1, error = fd < 0 ? -errno : 0;

    if (http)
        length = asprintf(&http->request,
                          "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: baton/" BATON_VERSION
                          " (probe)\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                          target->check->path);
    if (error == 0 && length < 0)
        error = -ENOMEM;
    if (error == 0 && connect(fd, (const struct sockaddr *)&target->address, target->address_length) &&
        errno != EINPROGRESS)
        error = -errno;
    if (error) {
        if (fd >= 0)
            close(fd);
        if (length >= 0)
            free(http->request);
        free(http);
        return error;
    }
    http->loop = loop;
    http->check = target->check;
    http->answered = answered;
    http->arg = arg;
    http->request_bytes = (size_t)length;
    clock_gettime(CLOCK_MONOTONIC, &http->began);
    ev_io_init(&http->io, on_io, fd, EV_WRITE);
    http->io.data = http;
    ev_io_start(loop, &http->io);
    *out = http;
    return 0;
}

void probe_http_stop(struct probe_http *http)
{
    ev_io_stop(http->loop, &http->io);
    /* What is left of the body is read, so that the worker sees an orderly end and not a reset. */
    while (recv(http->io.fd, http->head, sizeof http->head, MSG_DONTWAIT) > 0)
        ;
    close(http->io.fd);
    free(http->request);
    free(http);
}
