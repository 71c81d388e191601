#include "supervisor/net/lanes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/net/listener.h"

static void make_key(const struct config_listener *listener, char key[ADDRESS_TEXT_BYTES + 8])
{
    snprintf(key, ADDRESS_TEXT_BYTES + 8, "%s%s", listener->address_text, listener->v6only ? " v6only" : "");
}

/* A deep copy by way of the canonical text: what a listener is stays known after its configuration has gone.
 */
static struct config_listener *copy_listener(const struct config_listener *listener)
{
    struct config_listener *copy = malloc(sizeof *copy);

    if (!copy)
        return NULL;
    *copy = *listener;
    copy->name = strdup(listener->name);
    copy->address_text = strdup(listener->address_text);
    copy->socket_user = listener->socket_user ? strdup(listener->socket_user) : NULL;
    copy->socket_group = listener->socket_group ? strdup(listener->socket_group) : NULL;
    copy->where = (struct config_where){ 0 };
    return copy;
}

static void free_listener(struct config_listener *listener)
{
    if (!listener)
        return;
    free(listener->name);
    free(listener->address_text);
    free(listener->socket_user);
    free(listener->socket_group);
    free(listener);
}

static void free_lane(struct lane *lane)
{
    listener_unlink(lane->listener, lane->fd);
    close(lane->fd);
    free_listener(lane->listener);
    free(lane->key);
    free(lane);
}

static struct lane *find(const struct lanes *lanes, const char *key)
{
    for (struct lane *lane = lanes->first; lane; lane = lane->next) {
        if (!strcmp(lane->key, key))
            return lane;
    }
    return NULL;
}

/* `fd` is taken on success only. */
static struct lane *add(struct lanes *lanes, const struct config_listener *listener, const char *key, int fd)
{
    struct lane *lane = calloc(1, sizeof *lane);

    if (!lane)
        return NULL;
    lane->key = strdup(key);
    lane->listener = copy_listener(listener);
    if (!lane->key || !lane->listener) {
        free(lane->key);
        free_listener(lane->listener);
        free(lane);
        return NULL;
    }
    lane->fd = fd;
    lane->next = lanes->first;
    lanes->first = lane;
    return lane;
}

/* The socket of a spare that is what `listener` asks for; -1: none. */
static int take_spare(struct lanes *lanes, const struct config_listener *listener, uint64_t *serial)
{
    for (struct lane_spare **link = &lanes->spares; *link; link = &(*link)->next) {
        struct lane_spare *spare = *link;
        int fd = spare->fd;

        if (!listener_matches(listener, fd))
            continue;
        *link = spare->next;
        *serial = spare->serial;
        free(spare);
        return fd;
    }
    return -1;
}

static int open_lane(struct lanes *lanes, const struct config_listener *listener, const char *key,
                     struct lane **out, char **reason)
{
    uint64_t serial = 0;
    int fd = take_spare(lanes, listener, &serial), error = fd < 0 ? listener_open(listener, &fd, reason) : 0;

    if (error)
        return error;
    *out = add(lanes, listener, key, fd);
    if (!*out) {
        close(fd);
        *reason = NULL;
        return -ENOMEM;
    }
    (*out)->serial = serial;
    return 0;
}

int lanes_acquire(struct lanes *lanes, const struct config_listener *listener, struct lane **out,
                  char **reason)
{
    char key[ADDRESS_TEXT_BYTES + 8];

    make_key(listener, key);
    struct lane *lane = find(lanes, key);
    if (!lane) {
        int error = open_lane(lanes, listener, key, &lane, reason);
        if (error)
            return error;
    } else if (lane->listener->backlog != listener->backlog) {
        lane->listener->backlog = listener->backlog;
        listener_set_backlog(lane->fd, listener->backlog);
    }
    lane->users++;
    *out = lane;
    return 0;
}

bool lanes_release(struct lanes *lanes, struct lane *lane, uint64_t *serial)
{
    if (--lane->users > 0)
        return false;
    for (struct lane **link = &lanes->first; *link; link = &(*link)->next) {
        if (*link == lane) {
            *link = lane->next;
            break;
        }
    }
    *serial = lane->serial;
    free_lane(lane);
    return true;
}

struct lane *lanes_restore(struct lanes *lanes, const struct config_listener *listener, int fd,
                           uint64_t serial)
{
    char key[ADDRESS_TEXT_BYTES + 8];
    struct lane *lane = NULL;

    make_key(listener, key);
    if (listener_matches(listener, fd))
        lane = add(lanes, listener, key, fd);
    if (!lane) {
        close(fd);
        return NULL;
    }
    lane->serial = serial;
    return lane;
}

void lanes_add_spare(struct lanes *lanes, int fd, uint64_t serial)
{
    struct lane_spare *spare = malloc(sizeof *spare);

    if (!spare) {
        close(fd);
        return;
    }
    *spare = (struct lane_spare){ .next = lanes->spares, .fd = fd, .serial = serial };
    lanes->spares = spare;
}

bool lanes_drop_spare(struct lanes *lanes, uint64_t *serial)
{
    struct lane_spare *spare = lanes->spares;

    if (!spare)
        return false;
    lanes->spares = spare->next;
    *serial = spare->serial;
    close(spare->fd);
    free(spare);
    return true;
}

void lanes_use(struct lane *lane)
{
    lane->users++;
}

void lanes_quiesce(struct lanes *lanes, void (*done)(void *arg), void *arg)
{
    (void)lanes;
    done(arg);
}

void lanes_close(struct lanes *lanes)
{
    while (lanes->first) {
        struct lane *lane = lanes->first;
        lanes->first = lane->next;
        free_lane(lane);
    }
}
