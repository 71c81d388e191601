#include "supervisor/process/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is in the memory, in native byte order: it never leaves the machine or outlives a boot. A change of
 * this layout needs a new version. */
enum { SNAPSHOT_VERSION = 1, PAGE_BYTES = 4096, SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static const char magic[8] = "batonST";

struct slot {
    _Atomic uint64_t sequence; /* 0: being written, or never was */
    uint64_t length, checksum;
    uint8_t unused[40];
    uint8_t bytes[SNAPSHOT_BYTES_MAX];
    uint8_t rest_of_page[PAGE_BYTES - 64];
};

struct snapshot_layout {
    struct {
        char magic[8];
        uint32_t version, slot_bytes;
        _Atomic uint32_t written; /* 1: at least one write was completed */
        uint8_t unused[PAGE_BYTES - 20];
    } header;
    uint8_t notification[PAGE_BYTES]; /* reserved: a received, not yet answered seccomp notification */
    struct slot slots[2];
};

_Static_assert(sizeof(struct slot) == SNAPSHOT_BYTES_MAX + PAGE_BYTES, "a slot has no padding");
_Static_assert(sizeof(struct snapshot_layout) == 2 * PAGE_BYTES + 2 * sizeof(struct slot), "no padding");

/* Finds torn writes, not forgeries: every word goes through a multiplication whose high bits are folded
 * back, so that each input bit reaches the low half too. */
static uint64_t checksum(uint64_t sequence, const uint8_t *bytes, size_t length)
{
    uint64_t sum = 0xcbf29ce484222325u ^ sequence, word;

    for (size_t i = 0; i < length; i += sizeof word) {
        word = 0;
        memcpy(&word, bytes + i, length - i < sizeof word ? length - i : sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return (sum ^ length) * 0x9e3779b97f4a7c15u;
}

/* The sequence of a slot whose content is whole, else 0. */
static uint64_t valid_sequence(const struct slot *slot)
{
    uint64_t sequence = atomic_load(&slot->sequence);

    if (sequence == 0 || slot->length > SNAPSHOT_BYTES_MAX)
        return 0;
    return slot->checksum == checksum(sequence, slot->bytes, slot->length) ? sequence : 0;
}

static void find_current(struct snapshot *snapshot)
{
    snapshot->current = -1;
    snapshot->sequence = 0;
    for (int i = 0; i < 2; i++) {
        uint64_t sequence = valid_sequence(&snapshot->memory->slots[i]);

        if (sequence > snapshot->sequence) {
            snapshot->sequence = sequence;
            snapshot->current = i;
        }
    }
}

static struct snapshot_layout *map(int fd)
{
    void *memory = mmap(NULL, sizeof(struct snapshot_layout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

int snapshot_create(struct snapshot *snapshot)
{
    struct snapshot_layout *memory = NULL;
    int fd = memfd_create("baton-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, sizeof *memory) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        memory = map(fd);
    if (!memory) {
        int error = -errno;

        close(fd);
        return error;
    }
    memory->header.version = SNAPSHOT_VERSION;
    memory->header.slot_bytes = sizeof(struct slot);
    memcpy(memory->header.magic, magic, sizeof magic);
    *snapshot = (struct snapshot){ .fd = fd, .memory = memory, .current = -1 };
    return 0;
}

/* Without the seals anybody who holds a copy could truncate it and kill us with SIGBUS. */
static bool is_sealed_and_whole(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat status;

    return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &status) == 0 &&
           status.st_size == sizeof(struct snapshot_layout);
}

static bool is_known(const struct snapshot_layout *memory)
{
    return memcmp(memory->header.magic, magic, sizeof magic) == 0 &&
           memory->header.version == SNAPSHOT_VERSION && memory->header.slot_bytes == sizeof(struct slot);
}

int snapshot_attach(struct snapshot *snapshot, int fd)
{
    struct snapshot attached = { .fd = fd };
    int error = -EPROTO;

    if (is_sealed_and_whole(fd)) {
        attached.memory = map(fd);
        error = !attached.memory ? -errno : is_known(attached.memory) ? 0 : -EPROTO;
    }
    if (error) {
        snapshot_close(&attached);
        return error;
    }
    find_current(&attached);
    *snapshot = attached;
    return 0;
}

int snapshot_write(struct snapshot *snapshot, const void *bytes, size_t length)
{
    int next = snapshot->current == 0 ? 1 : 0;
    struct slot *slot = &snapshot->memory->slots[next];

    if (length > SNAPSHOT_BYTES_MAX)
        return -EMSGSIZE;
    /* Whoever is killed in here leaves sequence 0; the fences keep the copy between the two stores. */
    atomic_store(&slot->sequence, 0);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(slot->bytes, bytes, length);
    slot->length = length;
    slot->checksum = checksum(snapshot->sequence + 1, slot->bytes, length);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store(&slot->sequence, snapshot->sequence + 1);
    atomic_store(&snapshot->memory->header.written, 1);
    snapshot->sequence++;
    snapshot->current = next;
    return 0;
}

int snapshot_read(const struct snapshot *snapshot, const void **bytes, size_t *length)
{
    if (snapshot->current < 0)
        return atomic_load(&snapshot->memory->header.written) ? -EBADMSG : SNAPSHOT_EMPTY;
    *bytes = snapshot->memory->slots[snapshot->current].bytes;
    *length = snapshot->memory->slots[snapshot->current].length;
    return 0;
}

void snapshot_close(struct snapshot *snapshot)
{
    if (snapshot->memory)
        munmap(snapshot->memory, sizeof *snapshot->memory);
    close(snapshot->fd);
    *snapshot = (struct snapshot){ .fd = -1, .current = -1 };
}
