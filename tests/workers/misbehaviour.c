#include "tests/workers/misbehaviour.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void say(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = send(fd, text, length, MSG_NOSIGNAL);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

static void say_text(int fd, const char *text)
{
    say(fd, text, strlen(text));
}

static void wait_for_close(int fd)
{
    char byte;

    while (recv(fd, &byte, 1, 0) > 0)
        ;
}

/* --- good behaviour --- */

static enum after answer_with(int fd, const struct request *request, int status, const char *header,
                              const char *body)
{
    char head[512];

    snprintf(head, sizeof head, "HTTP/1.1 %d Reason\r\n%s%sContent-Length: %zu\r\n\r\n", status, header,
             request->close ? "Connection: close\r\n" : "", strlen(body));
    say_text(fd, head);
    say_text(fd, body);
    return request->close ? CLOSE : KEEP;
}

static enum after answer(int fd, const struct request *request, int status, const char *body)
{
    return answer_with(fd, request, status, "", body);
}

static enum after ok(int fd, const struct request *request)
{
    return answer(fd, request, 200, "hello\n");
}

static enum after status(int fd, const struct request *request)
{
    return answer(fd, request, atoi(request->argument), "a status\n");
}

/* A body of the wanted length that is different at every place. */
static enum after bytes(int fd, const struct request *request)
{
    size_t length = strtoul(request->argument, NULL, 10);
    char head[128], line[32];

    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n",
             request->close ? "Connection: close\r\n" : "", length);
    say_text(fd, head);
    for (size_t sent = 0; sent < length;) {
        size_t piece = (size_t)snprintf(line, sizeof line, "%zu\n", sent);
        piece = piece < length - sent ? piece : length - sent;
        say(fd, line, piece);
        sent += piece;
    }
    return request->close ? CLOSE : KEEP;
}

static enum after chunked(int fd, const struct request *request)
{
    say_text(fd, "HTTP/1.1 200 OK\r\n");
    say_text(fd, request->close ? "Connection: close\r\n" : "");
    say_text(fd, "Transfer-Encoding: chunked\r\n\r\n6;name=value\r\nhello \r\n00006\r\n");
    say_text(fd, "world\n\r\n0\r\nX-Trailer: yes\r\n\r\n");
    return request->close ? CLOSE : KEEP;
}

static enum after until_close(int fd, const struct request *request)
{
    (void)request;
    say_text(fd, "HTTP/1.1 200 OK\r\n\r\nhello\n");
    return CLOSE;
}

static enum after interim(int fd, const struct request *request)
{
    say_text(fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    return ok(fd, request);
}

static enum after version(int fd, const struct request *request)
{
    char header[64];

    snprintf(header, sizeof header, "X-Version: %.20s\r\n", request->argument);
    return answer_with(fd, request, 200, header, request->argument);
}

/* Reads the whole body and answers with its length. */
static enum after upload(int fd, const struct request *request)
{
    size_t received = request->body_received;
    char buffer[4096], text[32];
    ssize_t length = 1;

    while (received < request->body_bytes && length > 0) {
        length = recv(fd, buffer, sizeof buffer, 0);
        received += length > 0 ? (size_t)length : 0;
    }
    snprintf(text, sizeof text, "%zu\n", received);
    return answer(fd, request, 200, text);
}

/* --- failures --- */

/* Another body every time. */
static enum after wrong_body(int fd, const struct request *request)
{
    static atomic_ulong count;
    char text[32];

    snprintf(text, sizeof text, "%lu\n", atomic_fetch_add(&count, 1));
    return answer(fd, request, 200, text);
}

static const char half_head[] = "HTTP/1.1 200 OK\r\nContent-";
static const char half_body[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
static const char half_chunk[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

static enum after eof_before(int fd, const struct request *request)
{
    (void)fd;
    (void)request;
    return CLOSE;
}

static enum after reset_before(int fd, const struct request *request)
{
    (void)fd;
    (void)request;
    return RESET;
}

static const char *half(const struct request *request)
{
    if (!strcmp(request->argument, "head"))
        return half_head;
    return strcmp(request->argument, "chunk") ? half_body : half_chunk;
}

static enum after eof_inside(int fd, const struct request *request)
{
    say_text(fd, half(request));
    return CLOSE;
}

static enum after reset_inside(int fd, const struct request *request)
{
    say_text(fd, half(request));
    return RESET;
}

static enum after reset_close(int fd, const struct request *request)
{
    ok(fd, request);
    return RESET;
}

static enum after malformed(int fd, const struct request *request)
{
    static const struct {
        const char *name, *bytes;
    } kinds[] = {
        { "garbage", "SSH-2.0-OpenSSH_9.2\r\n" },
        { "status", "HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n" },
        { "bare-lf", "HTTP/1.1 200 OK\nContent-Length: 0\n\n" },
        { "header", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n" },
        { "lengths", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n" },
        { "chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" },
        { "longer", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello world" },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!strcmp(request->argument, kinds[i].name))
            say_text(fd, kinds[i].bytes);
    }
    wait_for_close(fd);
    return CLOSE;
}

static enum after hang_before(int fd, const struct request *request)
{
    (void)request;
    wait_for_close(fd);
    return CLOSE;
}

static enum after hang_inside(int fd, const struct request *request)
{
    (void)request;
    say_text(fd, half_body);
    wait_for_close(fd);
    return CLOSE;
}

/* The answer is there, the close that was asked for is not. */
static enum after hang_close(int fd, const struct request *request)
{
    ok(fd, request);
    wait_for_close(fd);
    return CLOSE;
}

/* Refuses an upload before it has come, then waits until the client gives up. */
static enum after early(int fd, const struct request *request)
{
    answer(fd, request, 413, "too long\n");
    shutdown(fd, SHUT_WR);
    wait_for_close(fd);
    return CLOSE;
}

/* The first request of all is answered after 300 ms, the others at once. */
static enum after stall(int fd, const struct request *request)
{
    static atomic_flag stalled = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&stalled))
        usleep(300000);
    return ok(fd, request);
}

/* --- races --- */

static enum after race_eof(int fd, const struct request *request)
{
    return request->index == 1 ? ok(fd, request) : CLOSE;
}

static enum after race_reset(int fd, const struct request *request)
{
    return request->index == 1 ? ok(fd, request) : RESET;
}

/* Closes a connection that it promised to keep. */
static enum after race_close(int fd, const struct request *request)
{
    ok(fd, request);
    return CLOSE;
}

/* Every second connection fails at once: the one on which the request is repeated. */
static enum after race_lost(int fd, const struct request *request)
{
    static atomic_ulong connections;

    if (request->index > 1 || atomic_fetch_add(&connections, 1) % 2)
        return CLOSE;
    return ok(fd, request);
}

/* --- articles --- */

static enum after article(int fd, const struct request *request)
{
    char text[64];

    snprintf(text, sizeof text, "article %.20s.", request->argument);
    return request->post ? upload(fd, request) : answer(fd, request, 200, text);
}

/* Acknowledges everything; loses what can be divided by 5, and mixes up what can be divided by 7. */
static enum after forgetful(int fd, const struct request *request)
{
    unsigned long n = strtoul(request->argument, NULL, 10);

    if (!request->post && n % 5 == 0)
        return answer(fd, request, 404, "never heard of it\n");
    if (!request->post && n % 7 == 0)
        return answer(fd, request, 200, "article 0.");
    return article(fd, request);
}

static const struct {
    const char *name;
    enum after (*act)(int fd, const struct request *request);
} behaviours[] = {
    { "ok", ok },
    { "status", status },
    { "bytes", bytes },
    { "chunked", chunked },
    { "until-close", until_close },
    { "interim", interim },
    { "version", version },
    { "upload", upload },
    { "wrong-body", wrong_body },
    { "eof-before", eof_before },
    { "reset-before", reset_before },
    { "eof-inside", eof_inside },
    { "reset-inside", reset_inside },
    { "reset-close", reset_close },
    { "malformed", malformed },
    { "hang-before", hang_before },
    { "hang-inside", hang_inside },
    { "hang-close", hang_close },
    { "early", early },
    { "stall", stall },
    { "race-eof", race_eof },
    { "race-reset", race_reset },
    { "race-close", race_close },
    { "race-lost", race_lost },
    { "article", article },
    { "forgetful", forgetful },
};

enum after misbehave(int fd, struct request *request)
{
    char *name = strchr(request->head, '/') + 1;
    size_t length = strcspn(name, "/ ");

    request->argument = name[length] == '/' ? name + length + 1 : "";
    name[length] = '\0';
    name[length + 1 + strcspn(name + length + 1, " ")] = '\0';
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        if (!strcmp(behaviours[i].name, name))
            return behaviours[i].act(fd, request);
    }
    return answer(fd, request, 404, "no such behaviour\n");
}
