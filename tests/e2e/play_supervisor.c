/* Starts COMMAND as a native worker of generation 7 and plays its supervisor, from HELLO to DRAINED,
 * with one connection in between. Exits 0 when the worker did its part, and names the step else. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/channel.h"
#include "proto/message.h"

enum { LIMIT_S = 30 };

static int channel;

static void fail(const char *step)
{
    fprintf(stderr, "play_supervisor: %s\n", step);
    exit(1);
}

static pid_t start(char **command, int worker_end)
{
    pid_t pid = fork();

    if (pid == 0) {
        char number[16];
        int inherited = dup(worker_end); /* without close-on-exec */

        snprintf(number, sizeof number, "%d", inherited);
        setenv("BATON_CHANNEL", number, 1);
        setenv("BATON_GENERATION", "7", 1);
        execv(command[0], command);
        _exit(127);
    }
    if (pid == -1)
        fail("fork");
    close(worker_end);
    return pid;
}

static void say(const struct message *message, const int *fds, size_t count)
{
    uint8_t bytes[MESSAGE_MAX_BYTES];
    int size = message_encode(message, bytes);

    if (size < 0 || channel_send(channel, bytes, (size_t)size, fds, count) != 0)
        fail(message_name(message->type));
}

static void hear(struct message *message)
{
    static struct channel_packet packet;
    struct pollfd polled = { .fd = channel, .events = POLLIN };
    const char *wrong;

    if (poll(&polled, 1, -1) != 1 || channel_receive(channel, &packet) != 0)
        fail("the worker ended before it was told to");
    wrong = message_decode(packet.bytes, packet.size, message);
    if (wrong || !message_carries(message, packet.count) || !message_from_worker(message->type))
        fail(wrong ? wrong : "a worker does not send that");
}

static void hear_until(enum message_type type)
{
    struct message message;

    do
        hear(&message);
    while (message.type != type);
}

static int listen_anywhere(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(fd, (struct sockaddr *)address, length) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)address, &length))
        fail("listen");
    return fd;
}

static void ask(const struct sockaddr_in *address)
{
    char answer[64] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)address, sizeof *address) ||
        recv(fd, answer, sizeof answer - 1, MSG_WAITALL) < 0 || strcmp(answer, "generation 7\n") != 0)
        fail("the answer is not the worker's");
    close(fd);
}

int main(int argc, char **argv)
{
    const struct message welcome = { .type = MESSAGE_WELCOME, .welcome = { 7, 1 } };
    const struct message listeners = { .type = MESSAGE_LISTENERS, .listeners = { 1, 0, 1, { "web" } } };
    const struct message drain = { .type = MESSAGE_DRAIN, .drain = { 5000 } };
    struct sockaddr_in address;
    int ends[2], status, listener;

    if (argc < 2 || channel_pair(ends) != 0)
        fail("usage: play_supervisor COMMAND [ARG...]");
    alarm(LIMIT_S);
    channel = ends[0];
    listener = listen_anywhere(&address);
    pid_t worker = start(argv + 1, ends[1]);
    hear_until(MESSAGE_HELLO);
    say(&welcome, NULL, 0);
    hear_until(MESSAGE_READY);
    say(&listeners, &listener, 1);
    hear_until(MESSAGE_SERVING);
    ask(&address);
    say(&drain, NULL, 0);
    hear_until(MESSAGE_DRAINED);
    if (waitpid(worker, &status, 0) != worker || status != 0)
        fail("the worker did not exit with 0");
    return 0;
}
