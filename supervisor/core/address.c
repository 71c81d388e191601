#include "supervisor/core/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const char address_forms[] =
    "an address is PORT, IPV4:PORT, [IPV6]:PORT or unix:/PATH (udp: may stand before the first three)";

static const char *parse_port(const char *text, uint16_t *port)
{
    unsigned long value = 0;

    if (!*text)
        return "the port is missing";
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || (value = value * 10 + (unsigned long)(*p - '0')) > 65535)
            return "a port is a number from 1 to 65535";
    }
    if (value == 0)
        return "a port is a number from 1 to 65535";
    *port = (uint16_t)value;
    return NULL;
}

static const char *parse_unix(const char *path, struct address *out)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&out->sockaddr;
    size_t length = strlen(path);

    if (path[0] != '/')
        return "the path of a UNIX socket must be absolute: unix:/run/app.sock";
    if (length >= sizeof un->sun_path)
        return "the path of a UNIX socket has at most 107 bytes";
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, length + 1);
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return NULL;
}

static const char *parse_ipv6(const char *text, struct address *out)
{
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->sockaddr;
    char host[INET6_ADDRSTRLEN];
    const char *end = strchr(text, ']');
    uint16_t port;

    if (!end || end[1] != ':' || (size_t)(end - text - 1) >= sizeof host)
        return address_forms;
    memcpy(host, text + 1, (size_t)(end - text - 1));
    host[end - text - 1] = '\0';
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
        return "between [ and ] stands an IPv6 address: [::1]:8080";
    const char *wrong = parse_port(end + 2, &port);
    if (wrong)
        return wrong;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    out->length = sizeof *in6;
    return NULL;
}

static const char *parse_ipv4(const char *text, struct address *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&out->sockaddr;
    const char *colon = strrchr(text, ':');
    char host[INET_ADDRSTRLEN] = "0.0.0.0";
    uint16_t port;

    if (colon) {
        if (colon == text || (size_t)(colon - text) >= sizeof host)
            return address_forms;
        memcpy(host, text, (size_t)(colon - text));
        host[colon - text] = '\0';
    }
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
        return address_forms;
    const char *wrong = parse_port(colon ? colon + 1 : text, &port);
    if (wrong)
        return wrong;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    out->length = sizeof *in;
    return NULL;
}

const char *address_parse(const char *text, struct address *out)
{
    struct address parsed = { .socktype = SOCK_STREAM };
    const char *wrong;

    if (!strncmp(text, "unix:", 5)) {
        wrong = parse_unix(text + 5, &parsed);
    } else {
        if (!strncmp(text, "udp:", 4)) {
            parsed.socktype = SOCK_DGRAM;
            text += 4;
        }
        wrong = text[0] == '[' ? parse_ipv6(text, &parsed) : parse_ipv4(text, &parsed);
    }
    if (wrong)
        return wrong;
    *out = parsed;
    return NULL;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->sockaddr;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->sockaddr;
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->sockaddr;
    const char *scheme = address->socktype == SOCK_DGRAM ? "udp:" : "";
    char host[INET6_ADDRSTRLEN];

    switch (address->sockaddr.ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        snprintf(text, ADDRESS_TEXT_BYTES, "%s%s:%u", scheme, host, ntohs(in->sin_port));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        snprintf(text, ADDRESS_TEXT_BYTES, "%s[%s]:%u", scheme, host, ntohs(in6->sin6_port));
        break;
    default:
        snprintf(text, ADDRESS_TEXT_BYTES, "unix:%s", un->sun_path);
    }
}

static uint16_t port_of(const struct address *address)
{
    if (address->sockaddr.ss_family == AF_INET)
        return ((const struct sockaddr_in *)&address->sockaddr)->sin_port;
    return ((const struct sockaddr_in6 *)&address->sockaddr)->sin6_port;
}

static bool is_wildcard(const struct address *address)
{
    if (address->sockaddr.ss_family == AF_INET)
        return ((const struct sockaddr_in *)&address->sockaddr)->sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)&address->sockaddr)->sin6_addr);
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->socktype == b->socktype && a->length == b->length && !memcmp(&a->sockaddr, &b->sockaddr, a->length);
}

bool address_overlaps(const struct address *a, bool a_v6only, const struct address *b, bool b_v6only)
{
    sa_family_t fa = a->sockaddr.ss_family, fb = b->sockaddr.ss_family;

    if (a->socktype != b->socktype)
        return false;
    if (fa == AF_UNIX || fb == AF_UNIX)
        return address_equal(a, b);
    if (port_of(a) != port_of(b))
        return false;
    if (fa == fb)
        return address_equal(a, b) || is_wildcard(a) || is_wildcard(b);
    return fa == AF_INET6 ? is_wildcard(a) && !a_v6only : is_wildcard(b) && !b_v6only;
}
