#include "tests/bench/load_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const char forms[] =
    "a URL is http://ADDRESS:PORT[/path] or unix:/socket[:/path]; ADDRESS is 127.0.0.1, "
    "[::1] or localhost, not another name";

static const char *parse_unix(const char *text, struct load_server *server, const char **path)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&server->address;
    const char *colon = strstr(text, ":/");
    size_t length = colon ? (size_t)(colon - text) : strlen(text);

    if (text[0] != '/')
        return forms;
    if (length >= sizeof un->sun_path)
        return "the path of a UNIX socket has at most 107 bytes";
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, text, length);
    server->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    snprintf(server->host, sizeof server->host, "localhost");
    *path = colon ? colon + 1 : NULL;
    return NULL;
}

static bool parse_host(const char *host, uint16_t port, struct load_server *server)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&server->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&server->address;

    if (!strcmp(host, "localhost"))
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        server->length = sizeof *in;
        return true;
    }
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
        return false;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    server->length = sizeof *in6;
    return true;
}

/* "127.0.0.1:80" or "[::1]:80", the authority of a URL. */
static bool parse_authority(const char *text, struct load_server *server)
{
    bool bracket = text[0] == '[';
    const char *end = bracket ? strchr(text, ']') : strchr(text, ':');
    char host[INET6_ADDRSTRLEN];

    if (bracket)
        text++;
    if (!end || (size_t)(end - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(end - text));
    host[end - text] = '\0';
    const char *port = bracket ? end + 2 : end + 1;
    if (port[-1] != ':' || strspn(port, "0123456789") != strlen(port) || strlen(port) > 5)
        return false;
    long number = strtol(port, NULL, 10);
    return number > 0 && number <= UINT16_MAX && parse_host(host, (uint16_t)number, server);
}

static const char *parse_http(const char *text, struct load_server *server, const char **path)
{
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);

    if (length >= sizeof server->host)
        return forms;
    memcpy(server->host, text, length);
    if (!parse_authority(server->host, server))
        return forms;
    *path = slash;
    return NULL;
}

const char *load_url_parse(const char *url, struct load_server *server, const char **path)
{
    struct load_server parsed = { .length = 0 };
    const char *found = NULL;
    const char *wrong = forms;

    if (!strncmp(url, "unix:", 5))
        wrong = parse_unix(url + 5, &parsed, &found);
    else if (!strncmp(url, "http://", 7))
        wrong = parse_http(url + 7, &parsed, &found);
    if (!wrong && found && found[strcspn(found, " \t\r\n#")])
        wrong = "the path of a URL holds neither blanks nor #";
    if (wrong)
        return wrong;
    *server = parsed;
    *path = found;
    return NULL;
}

bool load_server_equal(const struct load_server *a, const struct load_server *b)
{
    return a->length == b->length && !memcmp(&a->address, &b->address, a->length);
}

bool load_server_is_loopback(const struct load_server *server)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&server->address;

    return in->sin_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127;
}
