#include "supervisor/core/config_rules.h"

#include <inttypes.h>
#include <string.h>

#include "supervisor/core/config_words.h"
#include "supervisor/core/spelling.h"

static const struct config_key *listener_key(const char *name)
{
    return config_keys_find(SECTION_LISTENER, name);
}

static const struct config_key *service_key(const char *name)
{
    return config_keys_find(SECTION_SERVICE, name);
}

/* " (line 7)", " (FILE, line 7)" when it is another file, or nothing where there are no lines. */
static const char *mention(const struct config_where *other, const char *file, char text[512])
{
    text[0] = '\0';
    if (other->line > 0 && other->file == file)
        snprintf(text, 512, " (line %d)", other->line);
    else if (other->line > 0)
        snprintf(text, 512, " (%s, line %d)", other->file, other->line);
    return text;
}

/* --- listeners --- */

static bool is_dual_stack(const struct config_listener *listener)
{
    return listener->address.sockaddr.ss_family == AF_INET6 && !listener->v6only;
}

static int tell_overlap(struct config_build *build, const struct config_listener *listener,
                        const struct config_listener *earlier)
{
    char place[512];
    bool mixed = listener->address.sockaddr.ss_family != earlier->address.sockaddr.ss_family;

    mention(&earlier->where, listener->where.file, place);
    if (address_equal(&listener->address, &earlier->address))
        return config_build_wrong_key(build, &listener->where, listener_key("address"),
                                      "%s is also the address of [listener %s]%s", listener->address_text,
                                      earlier->name, place);
    return config_build_wrong_key(build, &listener->where, listener_key("address"),
                                  "%s and %s of [listener %s]%s overlap%s%s%s", listener->address_text,
                                  earlier->address_text, earlier->name, place, mixed ? ": [listener " : "",
                                  mixed ? (is_dual_stack(listener) ? listener->name : earlier->name) : "",
                                  mixed ? "] also listens on IPv4; add v6only = yes to it" : "");
}

static int check_overlaps(struct config_build *build, size_t index)
{
    const struct config_listener *listener = &build->config->listeners[index];

    for (size_t i = 0; i < index; i++) {
        const struct config_listener *earlier = &build->config->listeners[i];
        if (earlier->address.length &&
            address_overlaps(&listener->address, listener->v6only, &earlier->address, earlier->v6only))
            return tell_overlap(build, listener, earlier);
    }
    return 0;
}

const char *config_rules_wrong_family(const struct config_key *key, const struct config_listener *listener)
{
    sa_family_t family = listener->address.sockaddr.ss_family;

    if (key->flags & KEY_UNIX && family != AF_UNIX)
        return "only for unix: addresses";
    if (key->flags & KEY_IPV6 && family != AF_INET6)
        return "only for IPv6 addresses";
    if (key->flags & KEY_STREAM && listener->address.socktype != SOCK_STREAM)
        return "not for udp: addresses";
    return NULL;
}

static int check_families(struct config_build *build, const struct config_listener *listener)
{
    int result = 0;

    for (size_t i = 0; i < config_key_count && result == 0; i++) {
        const struct config_key *key = &config_keys[i];
        if (key->section != SECTION_LISTENER || !listener->where.key_lines[i])
            continue;
        const char *why = config_rules_wrong_family(key, listener);
        if (why)
            result = config_build_wrong_key(build, &listener->where, key, "%s, not for %s", why,
                                            listener->address_text);
    }
    return result;
}

static int check_listeners(struct config_build *build)
{
    int result = 0;

    for (size_t i = 0; i < build->config->listener_count && result == 0; i++) {
        if (build->config->listeners[i].address.length == 0)
            continue;
        result = check_families(build, &build->config->listeners[i]);
        if (result == 0)
            result = check_overlaps(build, i);
    }
    return result;
}

/* --- services and their listeners --- */

static bool serves(const struct config_service *service, const char *listener)
{
    for (char **name = service->listen; name && *name; name++) {
        if (!strcmp(*name, listener))
            return true;
    }
    return false;
}

static int tell_unknown(struct config_build *build, const struct config_service *service, const char *name)
{
    struct spelling spelling = { 0 };

    for (size_t i = 0; i < build->config->listener_count; i++)
        spelling_offer(&spelling, name, build->config->listeners[i].name);
    return config_build_wrong_key(
        build, &service->where, service_key("listen"), "there is no [listener %s]%s%s%s", name,
        spelling.best ? "; did you mean " : "", spelling.best ? spelling.best : "", spelling.best ? "?" : "");
}

static int check_listen(struct config_build *build, size_t index)
{
    const struct config *config = build->config;
    const struct config_service *service = &config->services[index];
    char place[512];
    int result = 0;

    for (char **name = service->listen; name && *name && result == 0; name++) {
        if (!config_find_listener(config, *name) && !build->incomplete && build->source != CONFIG_FROM_TEXT)
            result = tell_unknown(build, service, *name);
        for (size_t i = 0; i < index && result == 0; i++) {
            if (serves(&config->services[i], *name))
                result = config_build_wrong_key(
                    build, &service->where, service_key("listen"),
                    "[listener %s] belongs to [service %s]%s; a listener belongs to one service", *name,
                    config->services[i].name,
                    mention(&config->services[i].where, service->where.file, place));
        }
    }
    return result;
}

static int check_unused(struct config_build *build)
{
    const struct config *config = build->config;
    int result = 0;

    for (size_t i = 0; i < config->listener_count && result == 0; i++) {
        const struct config_listener *listener = &config->listeners[i];
        bool used = false;

        for (size_t j = 0; j < config->service_count && !used; j++)
            used = serves(&config->services[j], listener->name);
        if (!used)
            result = config_build_wrong(
                build, listener->where.file, listener->where.line,
                "[listener %s] is used by no service; add listen = %s to one, or remove it", listener->name,
                listener->name);
    }
    return result;
}

static int check_times(struct config_build *build, const struct config_service *service)
{
    char alive[32], timeout[32];

    if (service->ready.kind != CHECK_ALIVE || service->ready.time_ms < service->ready_timeout_ms)
        return 0;
    config_format_duration(service->ready.time_ms, alive);
    config_format_duration(service->ready_timeout_ms, timeout);
    return config_build_wrong_key(build, &service->where, service_key("ready"),
                                  "alive:%s is never reached: ready_timeout is %s", alive, timeout);
}

int config_rules_check(struct config_build *build)
{
    const struct config *config = build->config;
    int result = check_listeners(build);

    for (size_t i = 0; i < config->service_count && result == 0; i++) {
        result = check_listen(build, i);
        if (result == 0 && config->services[i].ready_timeout_ms)
            result = check_times(build, &config->services[i]);
    }
    if (result || build->incomplete || build->source == CONFIG_FROM_TEXT)
        return result;
    if (config->service_count == 0)
        return config_build_wrong(build, config->files[0], 0, "there is no [service NAME] with a command");
    return check_unused(build);
}
