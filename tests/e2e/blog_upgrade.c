/* A client never notices that one release of the blog takes over from the other: short and kept connections,
 * slow uploads and slow readers, and every acknowledged article is there afterwards. The supervisor here does
 * the least one can: the new worker serves, then the old one is told to drain; they share the socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "proto/channel.h"
#include "proto/message.h"
#include "tests/unit/guard.h"
#include "tests/unit/program.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"
#include "worker/http/bind.h"

enum { UPGRADES = 6 };

struct blog_worker {
    pid_t pid;
    int channel;
};

static struct channel_packet packet;
static struct message heard;
static int listening;
static char bound[HTTP_BIND_TEXT_BYTES];

static struct blog_worker start_worker(int generation)
{
    struct blog_worker worker;
    char *program = program_path(generation % 2 ? "baton-blog-v1" : "baton-blog-v2"), number[16];
    int ends[2];

    assert_int_equal(channel_pair(ends), 0);
    worker.channel = ends[0];
    worker.pid = fork();
    if (worker.pid == 0) {
        fcntl(ends[1], F_SETFD, 0);
        snprintf(number, sizeof number, "%d", ends[1]);
        setenv("BATON_CHANNEL", number, 1);
        snprintf(number, sizeof number, "%d", generation);
        setenv("BATON_GENERATION", number, 1);
        execl(program, program, "--data", scratch, "--linger", "300ms", NULL);
        _exit(127);
    }
    close(ends[1]);
    free(program);
    return worker;
}

static void receive(const struct blog_worker *worker)
{
    struct pollfd readable = { .fd = worker->channel, .events = POLLIN };

    assert_int_equal(poll(&readable, 1, -1), 1);
    assert_int_equal(channel_receive(worker->channel, &packet), 0);
    assert_null(message_decode(packet.bytes, packet.size, &heard));
    if (heard.type == MESSAGE_BYE)
        fail_msg("the worker says: %s", heard.bye.text);
}

static void await(const struct blog_worker *worker, enum message_type type)
{
    do
        receive(worker);
    while (heard.type != type);
}

static void tell(const struct blog_worker *worker, struct message message, int fd)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];
    int size = message_encode(&message, bytes);

    assert_true(size > 0);
    assert_int_equal(channel_send(worker->channel, bytes, (size_t)size, &fd, fd >= 0 ? 1 : 0), 0);
}

static struct blog_worker start_serving(int generation)
{
    struct message listeners = { .type = MESSAGE_LISTENERS, .listeners = { .total = 1, .count = 1 } };
    struct blog_worker worker = start_worker(generation);

    await(&worker, MESSAGE_HELLO);
    tell(&worker, (struct message){ .type = MESSAGE_WELCOME, .welcome = { (uint32_t)generation, 1 } }, -1);
    for (unsigned int seen = 0; seen != (1 << MESSAGE_HELLO | 1 << MESSAGE_READY); seen |= 1U << heard.type)
        receive(&worker); /* the answer to WELCOME and READY, in either order */
    strcpy(listeners.listeners.names[0], "web");
    tell(&worker, listeners, listening);
    await(&worker, MESSAGE_SERVING);
    return worker;
}

static void assert_exit_status(pid_t pid, int expected)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

static void retire(const struct blog_worker *worker)
{
    tell(worker, (struct message){ .type = MESSAGE_DRAIN, .drain = { 30 * 1000 } }, -1);
    await(worker, MESSAGE_DRAINED);
    assert_exit_status(worker->pid, 0);
    close(worker->channel);
}

/* Start the load and wait until each of its modes has had a success. */
static pid_t start_load(void)
{
    char *program = program_path("tests/bench/load"), list[128], articles[128], ready[16], byte;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        fcntl(ends[1], F_SETFD, 0);
        snprintf(ready, sizeof ready, "%d", ends[1]);
        snprintf(list, sizeof list, "http://%s/", bound);
        snprintf(articles, sizeof articles, "http://%s/articles", bound);
        execl(program, program, "--short", "3", "--keepalive", "6,requests=30", "--slow-response",
              "2,chunk=100,pause-ms=1", "--slow-upload", "2,chunk=400,pause-ms=1", "--races-fail",
              "--ready-fd", ready, list, "--post", articles,
              "{\"id\":\"{run}-{n}\",\"title\":\"t{n}\",\"body\":\"b{n}\"}", "--verify-acknowledged",
              "/articles/{run}-{n}", "--contains", "b{n}", NULL);
        _exit(127);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    free(program);
    return pid;
}

static void a_client_never_notices_an_upgrade(void **state)
{
    (void)state;
    scratch_create();
    assert_int_equal(http_bind("127.0.0.1:0", &listening, bound), 0);
    struct blog_worker serving = start_serving(1);
    pid_t load = start_load();
    for (int generation = 2; generation <= UPGRADES + 1; generation++) {
        struct blog_worker successor = start_serving(generation);

        retire(&serving);
        serving = successor;
    }
    kill(load, SIGTERM);
    assert_exit_status(load, 0);
    retire(&serving);
    close(listening);
    scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_client_never_notices_an_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
