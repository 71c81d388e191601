/* A worker in a process of its own, and the supervisor it talks to here. */
#include "worker/http/lifecycle.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "proto/channel.h"
#include "proto/message.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"
#include "worker/http/bind.h"

static struct channel_packet packet;
static struct message heard;
static pid_t child;
static int supervisor = -1, listening = -1;

static void handle(void *arg, struct http_exchange *exchange)
{
    const struct http_lifecycle *lifecycle = arg;

    http_buffer_printf(&exchange->response.body, "generation %u", http_lifecycle_generation(lifecycle));
    http_exchange_answer(exchange, 200, "text/plain");
}

static int live(const char *reason_to_fail)
{
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL | EVFLAG_NOENV);
    struct http_settings settings = http_default_settings;
    struct http_lifecycle lifecycle;
    struct http_server *server;

    settings.linger_ms = settings.close_ms = 1;
    if (http_lifecycle_open(&lifecycle, loop, "test") != 0)
        return 100;
    if (reason_to_fail)
        return http_lifecycle_fail(&lifecycle, "%s", reason_to_fail);
    if (http_server_create(&server, loop, &settings, handle, &lifecycle) < 0)
        return 101;
    int status = http_lifecycle_run(&lifecycle, server, NULL);
    http_server_free(server);
    return status;
}

/* Start a worker; `with_channel` or bare. */
static void start(bool with_channel, const char *reason_to_fail)
{
    char number[16];
    int ends[2] = { -1, -1 };

    if (with_channel)
        assert_int_equal(channel_pair(ends), 0);
    child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        dup2(null, STDERR_FILENO);
        snprintf(number, sizeof number, "%d", ends[1]);
        if (with_channel)
            setenv("BATON_CHANNEL", number, 1);
        setenv("BATON_GENERATION", "7", 1);
        close(ends[0]);
        _exit(live(reason_to_fail));
    }
    close(ends[1]);
    supervisor = ends[0];
}

static void receive_one(void)
{
    struct pollfd readable = { .fd = supervisor, .events = POLLIN };

    assert_int_equal(poll(&readable, 1, -1), 1);
    assert_int_equal(channel_receive(supervisor, &packet), 0);
    assert_null(message_decode(packet.bytes, packet.size, &heard));
}

/* Wait for a message of `type`; STATUS may come at any time. */
static const struct message *hear(enum message_type type)
{
    do
        receive_one();
    while (heard.type == MESSAGE_STATUS && type != MESSAGE_STATUS);
    if (heard.type != type)
        fail_msg("heard %s, not %s", message_name(heard.type), message_name(type));
    return &heard;
}

static void tell(struct message message, int fd)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];
    int size = message_encode(&message, bytes);

    assert_true(size > 0);
    assert_int_equal(channel_send(supervisor, bytes, (size_t)size, &fd, fd >= 0 ? 1 : 0), 0);
}

static void start_and_give(int fd)
{
    struct message listeners = { .type = MESSAGE_LISTENERS, .listeners = { .total = 1, .count = 1 } };

    start(true, NULL);
    hear(MESSAGE_HELLO);
    tell((struct message){ .type = MESSAGE_WELCOME, .welcome = { 7, 1 } }, -1);
    for (unsigned int seen = 0; seen != (1 << MESSAGE_HELLO | 1 << MESSAGE_READY); seen |= 1U << heard.type)
        receive_one(); /* the answer to WELCOME and READY, in either order */
    strcpy(listeners.listeners.names[0], "web");
    tell(listeners, fd);
}

static void start_serving(void)
{
    char bound[HTTP_BIND_TEXT_BYTES];

    assert_int_equal(http_bind("127.0.0.1:0", &listening, bound), 0);
    start_and_give(listening);
    assert_int_equal(hear(MESSAGE_SERVING)->serving.count, 1);
}

static void assert_answered(int fd)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    char answer[1024] = "";
    size_t length = 0;

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while (!strstr(answer, "generation 7")) {
        ssize_t received = recv(fd, answer + length, sizeof answer - 1 - length, 0);

        if (received <= 0)
            fail_msg("no answer: %s", answer);
        answer[length += (size_t)received] = '\0';
    }
}

static int connect_to_worker(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

static void assert_exit_status(int expected)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
    close(supervisor);
    close(listening);
    supervisor = listening = -1;
}

static void a_worker_lives_from_ready_to_drained(void **state)
{
    (void)state;
    start_serving();
    int fd = connect_to_worker();
    assert_answered(fd);
    do
        hear(MESSAGE_STATUS);
    while (heard.status.requests != 1 || heard.status.idle != 1 || heard.status.active != 0);
    assert_int_equal(heard.status.errors, 0);
    tell((struct message){ .type = MESSAGE_DRAIN, .drain = { 60 * 1000 } }, -1);
    hear(MESSAGE_DRAINED);
    close(fd);
    assert_exit_status(0);
}

static void a_signal_drains_too(void **state)
{
    (void)state;
    start_serving();
    int fd = connect_to_worker();
    assert_answered(fd);
    kill(child, SIGTERM);
    hear(MESSAGE_DRAINED);
    close(fd);
    assert_exit_status(0);
}

static void a_worker_that_cannot_start_says_why(void **state)
{
    (void)state;
    start(true, "cannot open /x/blog.db: No such file or directory");
    hear(MESSAGE_HELLO);
    assert_string_equal(hear(MESSAGE_BYE)->bye.text, "cannot open /x/blog.db: No such file or directory");
    assert_exit_status(1);
}

static void a_socket_that_does_not_listen_ends_the_worker(void **state)
{
    (void)state;
    listening = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    start_and_give(listening);
    assert_string_equal(hear(MESSAGE_BYE)->bye.text, "cannot accept on listener web: Invalid argument");
    assert_exit_status(1);
}

static void a_worker_outlives_the_channel(void **state)
{
    (void)state;
    start_serving();
    close(supervisor);
    supervisor = -1;
    int fd = connect_to_worker();
    assert_answered(fd);
    close(fd);
    kill(child, SIGTERM);
    assert_exit_status(0);
}

static void without_anything_to_serve_a_worker_ends(void **state)
{
    (void)state;
    start(false, NULL);
    assert_exit_status(1);
    start(true, NULL);
    hear(MESSAGE_HELLO);
    close(supervisor);
    supervisor = -1;
    assert_exit_status(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_worker_lives_from_ready_to_drained), GUARDED(a_signal_drains_too),
        GUARDED(a_worker_that_cannot_start_says_why),  GUARDED(a_socket_that_does_not_listen_ends_the_worker),
        GUARDED(a_worker_outlives_the_channel),        GUARDED(without_anything_to_serve_a_worker_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
