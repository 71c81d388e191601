#include "supervisor/event_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct header {
    char magic[16];
    uint32_t counters, counter_bytes, events, event_bytes;
};

struct counter_record {
    uint32_t check, value;
    char name[CONFIG_NAME_MAX + 1];
    char reserved[56];
};

struct event_record {
    uint64_t id;
    uint32_t check, bytes;
    char text[EVENT_RING_TEXT_MAX];
};

static const struct header layout = {
    .magic = "baton events 1",
    .counters = EVENT_RING_COUNTERS,
    .counter_bytes = sizeof(struct counter_record),
    .events = EVENTS_KEPT,
    .event_bytes = sizeof(struct event_record),
};

enum {
    PAGE = 4096,
    EVENT_HEAD = offsetof(struct event_record, text),
    COUNTERS_AT = PAGE,
    EVENTS_AT = COUNTERS_AT + EVENT_RING_COUNTERS * (int)sizeof(struct counter_record),
    RING_BYTES = EVENTS_AT + EVENTS_KEPT * (int)sizeof(struct event_record),
    SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW,
};

_Static_assert(PAGE % sizeof(struct counter_record) == 0, "a counter crosses a page");
_Static_assert(PAGE % sizeof(struct event_record) == 0, "an event crosses a page");
_Static_assert(EVENTS_AT % PAGE == 0, "events do not begin at a page");

static uint32_t fnv1a(uint32_t hash, const void *data, size_t bytes)
{
    for (const unsigned char *p = data, *end = p + bytes; p < end; p++)
        hash = (hash ^ *p) * 16777619u;
    return hash;
}

static uint32_t event_check(uint64_t id, const char *text, uint32_t bytes)
{
    uint32_t hash = fnv1a(2166136261u, &id, sizeof id);

    return fnv1a(fnv1a(hash, &bytes, sizeof bytes), text, bytes);
}

static uint32_t counter_check(const struct counter_record *record)
{
    uint32_t hash = fnv1a(2166136261u, &record->value, sizeof record->value);

    return fnv1a(hash, record->name, sizeof record->name);
}

static off_t event_offset(uint64_t id)
{
    return EVENTS_AT + (off_t)(id % EVENTS_KEPT) * (off_t)sizeof(struct event_record);
}

static off_t counter_offset(size_t index)
{
    return COUNTERS_AT + (off_t)(index * sizeof(struct counter_record));
}

static int write_at(int fd, const void *data, size_t bytes, off_t offset)
{
    ssize_t written = pwrite(fd, data, bytes, offset);

    if (written < 0)
        return -errno;
    return (size_t)written == bytes ? 0 : -ENOSPC;
}

static bool read_at(int fd, void *data, size_t bytes, off_t offset)
{
    return pread(fd, data, bytes, offset) == (ssize_t)bytes;
}

/* The record in the place of `id`, whichever event that is; false: none or torn. */
static bool read_event(const struct event_ring *ring, uint64_t id, struct event_record *record)
{
    return read_at(ring->fd, record, sizeof *record, event_offset(id)) && record->id != 0 &&
           record->id % EVENTS_KEPT == id % EVENTS_KEPT && record->bytes <= EVENT_RING_TEXT_MAX &&
           record->check == event_check(record->id, record->text, record->bytes);
}

int event_ring_create(struct event_ring *ring)
{
    int fd = memfd_create("baton-events", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    int error = ftruncate(fd, RING_BYTES) < 0 ? -errno : write_at(fd, &layout, sizeof layout, 0);
    if (!error && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        error = -errno;
    if (error) {
        close(fd);
        return error;
    }
    *ring = (struct event_ring){ .fd = fd };
    return 0;
}

static bool has_our_layout(int fd)
{
    struct header header;
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &status) == 0 &&
           status.st_size == RING_BYTES && read_at(fd, &header, sizeof header, 0) &&
           !memcmp(&header, &layout, sizeof header);
}

int event_ring_attach(struct event_ring *ring, int fd)
{
    struct event_record record;

    if (!has_our_layout(fd)) {
        close(fd);
        return -EPROTO;
    }
    *ring = (struct event_ring){ .fd = fd };
    for (uint64_t place = 0; place < EVENTS_KEPT; place++) {
        if (read_event(ring, place, &record) && record.id > ring->newest)
            ring->newest = record.id;
    }
    return 0;
}

int event_ring_put(struct event_ring *ring, uint64_t id, const char *text, size_t bytes)
{
    struct event_record record = { .id = id, .bytes = (uint32_t)bytes };

    if (bytes > EVENT_RING_TEXT_MAX)
        return -EMSGSIZE;
    ring->newest = id;
    memcpy(record.text, text, bytes);
    record.check = event_check(id, text, record.bytes);
    return write_at(ring->fd, &record, EVENT_HEAD + bytes, event_offset(id));
}

size_t event_ring_get(const struct event_ring *ring, uint64_t id, char text[EVENT_BYTES_MAX])
{
    struct event_record record;

    if (!read_event(ring, id, &record) || record.id != id)
        return 0;
    memcpy(text, record.text, record.bytes);
    text[record.bytes] = '\0';
    return record.bytes;
}

uint64_t event_ring_oldest(const struct event_ring *ring)
{
    return ring->newest < EVENTS_KEPT ? 1 : ring->newest - EVENTS_KEPT + 1;
}

int event_ring_put_counter(struct event_ring *ring, size_t index, const char *name, uint32_t value)
{
    struct counter_record record = { .value = value };

    if (index >= EVENT_RING_COUNTERS || strlen(name) >= sizeof record.name)
        return -EMSGSIZE;
    strcpy(record.name, name);
    record.check = counter_check(&record);
    return write_at(ring->fd, &record, sizeof record, counter_offset(index));
}

bool event_ring_get_counter(const struct event_ring *ring, size_t index, char name[CONFIG_NAME_MAX + 1],
                            uint32_t *value)
{
    struct counter_record record;

    if (index >= EVENT_RING_COUNTERS || !read_at(ring->fd, &record, sizeof record, counter_offset(index)))
        return false;
    if (record.name[0] == '\0' || record.name[CONFIG_NAME_MAX] != '\0' ||
        record.check != counter_check(&record))
        return false;
    strcpy(name, record.name);
    *value = record.value;
    return true;
}

void event_ring_close(struct event_ring *ring)
{
    if (ring->fd >= 0)
        close(ring->fd);
    ring->fd = -1;
}
